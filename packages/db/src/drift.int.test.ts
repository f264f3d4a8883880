import { execFile } from 'node:child_process';
import path from 'node:path';
import { createTestDatabase } from '@certwright/testing';
import { migrate } from './migrate';

const ROOT = path.resolve(__dirname, '../../..');

interface Ended {
  code: number;
  output: string;
}

function prisma(databaseUrl: string, ...args: string[]): Promise<Ended> {
  const cli = path.join(ROOT, 'node_modules/prisma/build/index.js');
  const env = { ...process.env, DATABASE_URL: databaseUrl };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { cwd: ROOT, env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr });
    });
  });
}

/** 0: no difference, 2: some, 1: it could not tell. */
const diff = async (databaseUrl: string, from: string[]): Promise<number> =>
  (await prisma(databaseUrl, 'migrate', 'diff', ...from, '--to-schema', 'prisma/schema.prisma', '--exit-code')).code;

describe('the migrations', () => {
  let database: Awaited<ReturnType<typeof createTestDatabase>>;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('make exactly what the schema describes', async () => {
    expect(await diff(database.url, ['--from-migrations', 'prisma/migrations'])).toBe(0);
    expect(await diff(database.url, ['--from-empty'])).toBe(2);
  });

  it('are recorded as Prisma’s own command line would: it finds nothing left to do', async () => {
    const { code, output } = await prisma(database.url, 'migrate', 'status');
    expect(output).toContain('up to date');
    expect(code).toBe(0);
  });

  it('are applied once, however often and from however many places', async () => {
    expect(await Promise.all([migrate(database.url), migrate(database.url)])).toEqual([[], []]);
  });
});
