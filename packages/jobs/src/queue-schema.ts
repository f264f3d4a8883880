import { runMigrations } from 'bullmq';
import { Client } from 'pg';

/** Makes or updates BullMQ's own tables (schema `bullmq`) for when no Redis is used. Safe to run at any time. */
export async function migrateQueueSchema(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await runMigrations(client);
  } finally {
    await client.end();
  }
}
