import { createServer } from 'node:http';
import { startNameServers } from '@certwright/testing';

/**
 * The demo's name server as a process of its own, for docker compose: authoritative for one zone, with a small HTTP API
 * in place of the customer's DNS provider: `PUT /txt/<name>` with one value a line, `DELETE /txt/<name>`.
 */
async function main(): Promise<void> {
  const { NAME_SERVER_PORT = '8053', NAME_SERVER_CONTROL_PORT = '8055', NAME_SERVER_ADDRESS = '0.0.0.0', NAME_SERVER_ZONE = 'customer.test' } =
    process.env;
  const dns = await startNameServers({ port: Number(NAME_SERVER_PORT), addresses: [NAME_SERVER_ADDRESS] });
  dns.addZone(NAME_SERVER_ZONE);
  const server = createServer((request, response) => {
    const name = /^\/txt\/([a-z0-9._-]+)$/i.exec(request.url ?? '')?.[1];
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body = (body + chunk).slice(0, 4_096)));
    request.on('end', () => {
      if (name && request.method === 'PUT') dns.setTxt(name, body.split('\n').filter(Boolean));
      else if (name && request.method === 'DELETE') dns.removeTxt(name);
      else {
        response.writeHead(404).end('PUT or DELETE /txt/<name>\n');
        return;
      }
      response.writeHead(204).end();
    });
  });
  server.listen(Number(NAME_SERVER_CONTROL_PORT));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      server.close();
      void dns.close().then(() => process.exit(0));
    });
  }
}

void main();
