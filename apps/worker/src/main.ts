import { createLogger, loadConfig, onShutdown, runMain, startHealthServer } from '@certwright/runtime';
import { wire } from './wire';

runMain(async () => {
  const config = loadConfig('worker');
  const logger = createLogger({ service: 'worker', level: config.logLevel });
  if (config.masterKey.isDevelopmentKey) {
    logger.warn('MASTER_KEY is not set: private keys are sealed with the public development key');
  }
  const { database, producer, backend, metrics, startWorkers, startSchedulers } = wire(config, logger);
  await database.verifySealingKey();
  const workers = startWorkers();
  const stopSchedulers = startSchedulers();
  const health = await startHealthServer(
    config.healthPort,
    { database: () => database.ping(), queue: () => producer.ping() },
    metrics,
  );
  onShutdown(logger, [
    { name: 'health', timeoutMs: 1_000, run: async () => void health.close() },
    { name: 'schedulers', timeoutMs: 1_000, run: async () => stopSchedulers() },
    { name: 'workers', timeoutMs: 18_000, run: () => workers.close() },
    { name: 'queues', timeoutMs: 2_000, run: () => producer.close() },
    { name: 'queue connections', timeoutMs: 1_000, run: () => backend.close() },
    { name: 'database', timeoutMs: 1_000, run: () => database.close() },
  ]);
  logger.info('worker is running', {
    queueStore: config.redisUrl === null ? 'postgres' : 'redis',
    acmeDirectory: config.acme.directoryUrl,
    concurrency: config.workerConcurrency,
  });
});
