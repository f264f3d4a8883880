import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What the embedded stack keeps between two starts, under `.certwright/dev`. */
export interface Settings {
  folder: string;
  authTokenFile: string;
  authToken: string;
  adminPassword: string;
  masterKeyFile: string;
}

export function loadSettings(folder: string): Settings {
  mkdirSync(path.join(folder, 'logs'), { recursive: true });
  const secret = (name: string, encoding: BufferEncoding): { file: string; value: string } => {
    const file = path.join(folder, name);
    if (!existsSync(file)) writeFileSync(file, `${randomBytes(32).toString(encoding)}\n`, { mode: 0o600 });
    return { file, value: readFileSync(file, 'utf8').trim() };
  };
  const authToken = secret('auth-token', 'base64url');
  return {
    folder,
    authTokenFile: authToken.file,
    authToken: authToken.value,
    adminPassword: secret('admin-password', 'base64url').value,
    masterKeyFile: secret('master-key', 'base64').file,
  };
}
