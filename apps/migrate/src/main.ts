import { migrate } from '@certwright/db';
import { migrateQueueSchema } from '@certwright/jobs';
import { createLogger, loadConfig, runMain } from '@certwright/runtime';

/** Brings the database up to date and ends. Safe to run from several places at once, and again at any time. */
runMain(async () => {
  const config = loadConfig('migrate');
  const logger = createLogger({ service: 'migrate', level: config.logLevel });
  const applied = await migrate(config.databaseUrl);
  if (config.redisUrl === null) await migrateQueueSchema(config.databaseUrl);
  logger.info('the database is up to date', { applied });
});
