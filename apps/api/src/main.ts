import { once } from 'node:events';
import { createServer } from 'node:http';
import { createLogger, loadConfig, onShutdown, runMain } from '@certwright/runtime';
import { wire } from './wire';

runMain(async () => {
  const config = loadConfig('api');
  const logger = createLogger({ service: 'api', level: config.logLevel });
  if (config.masterKey.isDevelopmentKey) {
    logger.warn('MASTER_KEY is not set: private keys are sealed with the public development key');
  }
  if (config.authToken === null) {
    logger.warn('AUTH_TOKEN is not set: every request is let in', { host: config.host });
  }
  const { app, database, producer, news } = wire(config, logger);
  await database.verifySealingKey();
  const server = createServer(app);
  let stopping = false;
  // A busy connection that is kept alive would hold the stop up for as long as its client likes.
  server.prependListener('request', (_request, response) => {
    if (stopping) response.setHeader('Connection', 'close');
  });
  server.listen(config.port, config.host);
  await once(server, 'listening');
  onShutdown(logger, [
    {
      name: 'http',
      timeoutMs: 15_000,
      run: async () => {
        stopping = true;
        news.close();
        const closed = once(server, 'close');
        server.close();
        server.closeIdleConnections();
        await closed;
      },
    },
    { name: 'queues', timeoutMs: 4_000, run: () => producer.close() },
    { name: 'database', timeoutMs: 2_000, run: () => database.close() },
  ]);
  logger.info('api is listening', { host: config.host, port: config.port });
});
