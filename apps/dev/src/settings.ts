import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What the embedded stack keeps between two starts, under `.certwright/dev`. */
export interface Settings {
  folder: string;
  authTokenFile: string;
  authToken: string;
  adminPasswordFile: string;
  adminPassword: string;
  masterKeyFile: string;
}

/** A path as one would type it here. */
export function shown(file: string): string {
  const relative = path.relative('', file);
  return relative.startsWith('..') ? file : relative;
}

export function loadSettings(folder: string): Settings {
  mkdirSync(path.join(folder, 'logs'), { recursive: true });
  const secret = (name: string, encoding: BufferEncoding): { file: string; value: string } => {
    const file = path.join(folder, name);
    if (!existsSync(file)) writeFileSync(file, `${randomBytes(32).toString(encoding)}\n`, { mode: 0o600 });
    return { file, value: readFileSync(file, 'utf8').trim() };
  };
  const adminPassword = secret('admin-password', 'base64url');
  const authToken = secret('auth-token', 'base64url');
  return {
    folder,
    authTokenFile: authToken.file,
    authToken: authToken.value,
    adminPasswordFile: adminPassword.file,
    adminPassword: adminPassword.value,
    masterKeyFile: secret('master-key', 'base64').file,
  };
}
