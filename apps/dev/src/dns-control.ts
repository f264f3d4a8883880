import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { NameServers } from '@certwright/testing';

const MAX_BODY = 4_096;

type Zone = Pick<NameServers, 'setTxt' | 'removeTxt' | 'setCname' | 'removeCname'>;
interface Reply {
  status: number;
  text: string;
}

const USAGE: Reply = { status: 404, text: 'PUT or DELETE /txt/<name> (one value a line) or /cname/<name> (its target)' };

/** As the README has those that are to be replaced. */
const PLACEHOLDER = /^[A-Z]+(_[A-Z]+)+$/;

/**
 * Stands in for the customer's DNS provider: `PUT /txt/<name>` with one value a line, `PUT /cname/<name>` with a target, `DELETE` of either. As
 * providers do, it lets nothing be beside an alias (RFC 1034 section 3.6.2). For the demo only: it asks nobody who they are.
 */
export async function startDnsControl(dns: Zone, { port, host }: { port: number; host: string }): Promise<{ port: number; close(): Promise<void> }> {
  const types = new Map<string, 'txt' | 'cname'>();

  function change(method: string | undefined, url: string | undefined, body: string): Reply {
    const [, type, given = ''] = /^\/(txt|cname)\/([a-z0-9._-]{1,253})$/i.exec(url ?? '') ?? [];
    const name = given.toLowerCase();
    if (type !== 'txt' && type !== 'cname') return USAGE;
    if (method === 'DELETE') {
      if (types.get(name) === type) types.delete(name);
      if (type === 'txt') dns.removeTxt(name);
      else dns.removeCname(name);
      return { status: 200, text: `${name} has no ${type.toUpperCase()} record now` };
    }
    if (method !== 'PUT') return USAGE;
    const values = body.split('\n').map((line) => line.trim()).filter(Boolean);
    const placeholder = values.find((value) => PLACEHOLDER.test(value));
    if (placeholder !== undefined) return { status: 422, text: `${placeholder} stands for what was answered before` };
    if (values.length === 0 || (type === 'cname' && values.length > 1)) return { status: 422, text: `the body is ${type === 'txt' ? 'one value a line' : 'one name'}` };
    const other = types.get(name);
    if (other !== undefined && other !== type) return { status: 409, text: `${name} has a ${other.toUpperCase()} record, and nothing can be beside an alias: DELETE /${other}/${name} first` };
    if (type === 'txt') dns.setTxt(name, values);
    else dns.setCname(name, values[0] ?? '');
    types.set(name, type);
    return { status: 200, text: `${name} ${type.toUpperCase()} ${values.join(' and ')}` };
  }

  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body = (body + chunk).slice(0, MAX_BODY)));
    request.on('end', () => {
      let reply: Reply;
      try {
        reply = change(request.method, request.url, body);
      } catch (error) {
        reply = { status: 422, text: String(error) };
      }
      response.writeHead(reply.status, { 'content-type': 'text/plain' }).end(`${reply.text}\n`);
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
