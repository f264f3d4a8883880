import { armCrashPoints, watchEvents, watchOrders } from '@certwright/core';
import { createDatabase } from '@certwright/db';
import { createDns } from '@certwright/dns';
import { createJobQueue, storeOf } from '@certwright/jobs';
import { type Config, crashHandler, createMetrics, type Logger } from '@certwright/runtime';
import { createApp } from './app';
import { createDashboard } from './bull-board';
import { createSetupLinks } from './setup-link';

/** Puts the adapters behind the ports; the only place that knows which is which. */
export function wire(config: Config, logger: Logger) {
  const database = createDatabase({
    url: config.databaseUrl,
    sealingKey: config.masterKey.bytes,
    poolMax: config.databasePool,
  });
  const producer = createJobQueue(storeOf(config), logger);
  const metrics = createMetrics({ service: 'api' });
  metrics.collectOrders(() => database.orders.census());
  metrics.collectQueues(() => producer.depths());
  armCrashPoints(crashHandler(config.crashAt));
  const news = watchEvents(database.events);
  const app = createApp({
    ...database,
    watch: watchOrders(database.orders),
    news,
    jobs: producer,
    ...createDns(config.dns),
    allowSpecialUseDomains: config.allowSpecialUseDomains,
    setupLinks: createSetupLinks(config.masterKey.bytes),
    publicUrl: config.publicUrl,
    acmeZone: config.acme.zone,
    directoryUrl: config.acme.directoryUrl,
    issueWaitMs: config.orders.issueWaitMs,
    phaseTimeoutMs: config.orders.phaseTimeoutMs,
    keyType: config.orders.keyType,
    profile: config.acme.profile,
    logger,
    metrics,
    health: { database: () => database.ping(), queue: () => producer.ping() },
    authToken: config.authToken,
    dashboard:
      config.adminPassword === null
        ? null
        : createDashboard({ queues: producer.queues, password: config.adminPassword, allowWrites: config.bullBoardWrite }),
  });
  return { app, database, producer, news };
}
