import { createAcmeGateway, createKeyMaker } from '@certwright/acme';
import { armCrashPoints } from '@certwright/core';
import { createDatabase } from '@certwright/db';
import { createDns } from '@certwright/dns';
import { createBackend, createJobQueue, storeOf } from '@certwright/jobs';
import { type Config, crashHandler, createMetrics, type Logger } from '@certwright/runtime';
import { createProcessors } from './processors';
import { runWorkers } from './run-workers';
import { keepSchedulers } from './schedulers';

/** Puts the adapters behind the ports; the only place that knows which is which. */
export function wire(config: Config, logger: Logger) {
  const metrics = createMetrics({ service: 'worker' });
  const database = createDatabase({
    url: config.databaseUrl,
    sealingKey: config.masterKey.bytes,
    poolMax: config.databasePool,
  });
  const store = storeOf(config);
  const backend = createBackend(store);
  const producer = createJobQueue(store, logger);
  const processors = createProcessors({
    ...database,
    jobs: producer,
    telemetry: metrics,
    acme: createAcmeGateway({
      directoryUrl: config.acme.directoryUrl,
      timeoutMs: config.acme.timeoutMs,
      ...(config.acme.caPem !== null && { caPem: config.acme.caPem }),
      onRequest: ({ step, status, durationMs }) => metrics.acmeRequest(step, status, durationMs),
    }),
    keys: createKeyMaker(),
    ...createDns(config.dns),
    caaIdentities: config.acme.caaIdentities,
    acmeZone: config.acme.zone,
    phaseTimeoutMs: config.orders.phaseTimeoutMs,
    keyType: config.orders.keyType,
    reuseKeys: config.orders.reuseKeys,
    asking: { pausedUntil: new Date(0) },
    profile: config.acme.profile,
    email: config.acme.email,
    budget: config.acme.budget,
    pollIntervalMs: config.orders.pollIntervalMs,
    timeouts: { dnsMs: config.orders.pollTimeoutMs, phaseMs: config.orders.phaseTimeoutMs },
    leaseMs: config.orders.leaseMs,
  });
  metrics.collectOrders(() => database.orders.census());
  metrics.collectRenewals(() => database.renewals.census());
  metrics.collectQueues(() => producer.depths());
  armCrashPoints(crashHandler(config.crashAt));
  return {
    database,
    producer,
    backend,
    metrics,
    startWorkers: () =>
      runWorkers({
        backend,
        processors,
        logger,
        metrics,
        workerConcurrency: config.workerConcurrency,
        lockMs: config.orders.leaseMs,
      }),
    startSchedulers: () => keepSchedulers(producer, logger),
  };
}
