import { readdirSync } from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'prisma/config';

const engines = path.resolve('node_modules/@prisma/engines');
const hasNativeEngine = readdirSync(engines).some((file) => file.startsWith('schema-engine-'));

// Prisma's CLI downloads its native engine when it lacks one; naming another here makes it work without a download.
if (!hasNativeEngine) process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= path.resolve('scripts/schema-engine.mjs');
// No look for a newer version, either.
process.env.CHECKPOINT_DISABLE ??= '1';

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  // `generate` needs no database; everything else says that DATABASE_URL is missing.
  datasource: { url: process.env.DATABASE_URL ?? '' },
});
