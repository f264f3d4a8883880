import { createLogger, loadConfig, onShutdown, runMain, startHealthServer } from '@certwright/runtime';
import { wire } from './wire';

runMain(async () => {
  const config = loadConfig('nameserver');
  const logger = createLogger({ service: 'nameserver', level: config.logLevel });
  const { metrics, memory, database, follow, start } = wire(config, logger);
  let isReady = false;
  // Ready without PostgreSQL, too: answers come from memory.
  const checks = { zone: async () => (isReady ? undefined : Promise.reject(new Error('not read yet'))) };
  const health = await startHealthServer(config.healthPort, checks, metrics);
  const follower = follow();
  const closing = { listening: async (): Promise<void> => undefined };
  onShutdown(logger, [
    { name: 'listeners', timeoutMs: 2_000, run: () => closing.listening() },
    { name: 'zone', timeoutMs: 2_000, run: () => follower.stop() },
    { name: 'health', timeoutMs: 1_000, run: async () => void health.close() },
    { name: 'database', timeoutMs: 1_000, run: () => database.close() },
  ]);
  await follower.loaded;
  const running = await start();
  closing.listening = () => running.close();
  isReady = true;
  logger.info('name server is running', { zone: config.acme.zone, labels: memory.size(), listen: config.nameServer.listen });
});
