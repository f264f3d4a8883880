import { createZoneDatabase } from '@certwright/db';
import { type Config, createMetrics, type Logger } from '@certwright/runtime';
import { createRateLimit } from './rate-limit';
import { startNameServer } from './server';
import { followZone } from './follow-zone';
import { createZoneMemory } from './zone-memory';

/** @throws Error where ACME_ZONE or its name servers are not set */
export function wire(config: Config, logger: Logger) {
  const { zone: apex } = config.acme;
  const { names: nameServers, listen, perSecond } = config.nameServer;
  if (apex === null || nameServers.length === 0) throw new Error('ACME_ZONE and ACME_ZONE_NS must be set for a name server');
  const metrics = createMetrics({ service: 'nameserver' });
  const database = createZoneDatabase(config.databaseUrl);
  const memory = createZoneMemory(database.zone);
  const zone = { apex, nameServers };
  return {
    metrics,
    memory,
    database,
    follow: () => followZone(memory, { logger, synced: (labels) => metrics.zoneSynced(labels) }),
    start: () =>
      startNameServer({
        zone,
        lookup: memory.lookup,
        rateLimit: createRateLimit(perSecond),
        listen,
        seen: (transport, outcome) => metrics.dnsAnswered(transport, outcome),
      }),
  };
}
