import { createAcmeGateway, createKeyMaker } from '@certwright/acme';
import { createDatabase } from '@certwright/db';
import { createTxtLookup } from '@certwright/dns';
import { createBackend, createJobQueue, storeOf } from '@certwright/jobs';
import type { Config, Logger } from '@certwright/runtime';
import { createProcessors } from './processors';
import { runWorkers } from './run-workers';
import { keepSchedulers } from './schedulers';

/** Puts the adapters behind the ports; the only place that knows which is which. */
export function wire(config: Config, logger: Logger) {
  const database = createDatabase({ url: config.databaseUrl, sealingKey: config.masterKey.bytes });
  const store = storeOf(config);
  const backend = createBackend(store);
  const producer = createJobQueue(store, logger);
  const processors = createProcessors({
    ...database,
    jobs: producer,
    acme: createAcmeGateway({
      directoryUrl: config.acme.directoryUrl,
      ...(config.acme.caPem !== null && { caPem: config.acme.caPem }),
    }),
    keys: createKeyMaker(),
    txtLookup: createTxtLookup(config.dns),
    email: config.acme.email,
    pollIntervalMs: config.orders.pollIntervalMs,
    timeouts: { dnsMs: config.orders.pollTimeoutMs, phaseMs: config.orders.phaseTimeoutMs },
  });
  return {
    database,
    producer,
    backend,
    startWorkers: () => runWorkers({ backend, processors, logger, workerConcurrency: config.workerConcurrency }),
    startSchedulers: () => keepSchedulers(producer, logger),
  };
}
