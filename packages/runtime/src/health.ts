import { createServer, type Server } from 'node:http';
import type { Metrics } from './metrics';
import { within } from './within';

export type HealthChecks = Record<string, () => Promise<void>>;

export interface Health {
  ok: boolean;
  checks: Record<string, 'ok' | 'failing'>;
}

const CHECK_TIMEOUT_MS = 2_000;

/** Runs all checks side by side, each bounded to 2 s. */
export async function checkHealth(checks: HealthChecks): Promise<Health> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const failed = await within(CHECK_TIMEOUT_MS, settled(check)).then(
        () => false,
        () => true,
      );
      return [name, failed ? 'failing' : 'ok'] as const;
    }),
  );
  return { ok: results.every(([, result]) => result === 'ok'), checks: Object.fromEntries(results) };
}

/** A check that throws before it has a promise is failing like any other. */
const settled = async (check: () => Promise<void>): Promise<void> => check();

/** `/healthz` (alive), `/readyz` (all checks pass) and `/metrics` for a process without an HTTP API of its own. */
export function startHealthServer(
  port: number,
  checks: HealthChecks,
  metrics?: Pick<Metrics, 'text' | 'contentType'>,
): Promise<Server> {
  const server = createServer((request, response) => {
    const reply = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const answer = async (): Promise<void> => {
      if (request.url === '/healthz') reply(200, { status: 'ok' });
      else if (request.url === '/readyz') {
        const health = await checkHealth(checks);
        reply(health.ok ? 200 : 503, health);
      } else if (request.url === '/metrics' && metrics !== undefined) {
        const text = await metrics.text();
        response.writeHead(200, { 'content-type': metrics.contentType }).end(text);
      } else reply(404, { status: 'not found' });
    };
    // An unhandled rejection would end the process.
    answer().catch(() => reply(500, { status: 'failed' }));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => resolve(server));
  });
}
