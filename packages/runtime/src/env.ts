import { readFileSync } from 'node:fs';

/** Secrets, which can also be given as the path of a file (`X_FILE`), as container platforms mount them. */
const SECRETS = ['DATABASE_URL', 'REDIS_URL', 'AUTH_TOKEN', 'ADMIN_PASSWORD', 'MASTER_KEY'] as const;

export interface RawEnvironment {
  values: Record<string, string>;
  /** One sentence for each variable that can't be read. */
  errors: string[];
}

/** The only reader of `process.env` in the product. An empty variable counts as unset. */
export function readEnvironment(env: NodeJS.ProcessEnv = process.env): RawEnvironment {
  const values: Record<string, string> = {};
  const errors: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && value.trim() !== '') values[name] = value.trim();
  }
  for (const name of SECRETS) {
    const file = values[`${name}_FILE`];
    if (file === undefined) continue;
    if (values[name] !== undefined) errors.push(`${name} and ${name}_FILE are both set: set one of them`);
    else readInto(values, errors, name, `${name}_FILE`, file);
  }
  const caFile = values.ACME_CA_FILE;
  if (caFile !== undefined) readInto(values, errors, 'ACME_CA_PEM', 'ACME_CA_FILE', caFile);
  return { values, errors };
}

function readInto(values: Record<string, string>, errors: string[], name: string, variable: string, file: string): void {
  try {
    values[name] = readFileSync(file, 'utf8').trim();
  } catch (error) {
    errors.push(`${variable} names a file that cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
}
