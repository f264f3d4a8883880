import { once } from 'node:events';
import { createServer } from 'node:http';
import type { NameServers } from '@certwright/testing';

const MAX_BODY = 4_096;

/**
 * Stands in for the customer's DNS provider: `PUT /txt/<name>` with one value a line, `DELETE /txt/<name>`, `PUT /cname/<name>` with a target.
 * For the demo only: it asks nobody who they are.
 */
export async function startDnsControl(
  dns: Pick<NameServers, 'setTxt' | 'removeTxt' | 'setCname'>,
  { port, host }: { port: number; host: string },
): Promise<{ close(): Promise<void> }> {
  const change = (method: string | undefined, url: string | undefined, body: string): { status: number; text: string } => {
    const [, type, name = ''] = /^\/(txt|cname)\/([a-z0-9._-]{1,253})$/i.exec(url ?? '') ?? [];
    try {
      if (method === 'PUT' && type === 'txt') dns.setTxt(name, body.split('\n').filter(Boolean));
      else if (method === 'PUT' && type === 'cname') dns.setCname(name, body.trim());
      else if (method === 'DELETE' && type === 'txt') dns.removeTxt(name);
      else return { status: 404, text: 'PUT or DELETE /txt/<name>, PUT /cname/<name>\n' };
      return { status: 200, text: `${name} has ${method === 'PUT' ? 'the value' : 'no value'} now\n` };
    } catch (error) {
      return { status: 422, text: `${String(error)}\n` };
    }
  };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body = (body + chunk).slice(0, MAX_BODY)));
    request.on('end', () => {
      const { status, text } = change(request.method, request.url, body);
      response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
