import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startAcmeCa } from './acme-ca';

const dnsServer = '127.0.0.1:53';

describe('startAcmeCa', () => {
  it('gives a CA that tells its root, and leaves neither process nor files behind when stopped', async () => {
    const ca = await startAcmeCa({ dnsServer });
    const root = new X509Certificate(await ca.rootPem());
    expect(root.ca).toBe(true);
    expect(root.verify(root.publicKey)).toBe(true);
    expect(readFileSync(ca.caFile, 'utf8')).toContain('BEGIN CERTIFICATE');
    await Promise.all([ca.stop(), ca.stop()]);
    await ca.stop();
    expect(await ca.exited).toMatchObject({ stopped: true });
    expect(() => process.kill(ca.pid, 0)).toThrow('ESRCH');
    expect(existsSync(dirname(ca.caFile))).toBe(false);
  });

  it('comes back at the same place with fixed ports, and keeps a folder it was given', async () => {
    const dir = join(mkdtempSync(join(tmpdir(), 'acme-ca-test-')), 'new');
    const first = await startAcmeCa({ dnsServer, dir });
    await first.stop();
    const portOf = (url: string): number => Number(new URL(url).port);
    const ports = { acme: portOf(first.directoryUrl), management: portOf(first.managementUrl) };
    const second = await startAcmeCa({ dnsServer, dir, ports });
    try {
      expect(second.directoryUrl).toBe(first.directoryUrl);
      expect(second.caFile).toBe(join(dir, 'listener.pem'));
    } finally {
      await second.stop();
    }
    expect(existsSync(second.caFile)).toBe(true);
    rmSync(dirname(dir), { recursive: true });
  });

  it('tells when the CA went down by itself', async () => {
    const ca = await startAcmeCa({ dnsServer });
    process.kill(ca.pid, 'SIGKILL');
    expect(await ca.exited).toMatchObject({ stopped: false, signal: 'SIGKILL' });
    expect((await ca.exited).log).toContain('ACME directory available at');
    await ca.stop();
  });

  it('says what the CA said when it cannot start', async () => {
    const occupant = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(occupant, 'listening');
    const { port } = occupant.address() as { port: number };
    try {
      await expect(startAcmeCa({ dnsServer, ports: { acme: port, management: port } })).rejects.toThrow(
        /Pebble ended while it was starting(.|\n)*address already in use/,
      );
    } finally {
      occupant.close();
    }
  });
});
