import * as packet from 'dns-packet';
import { answer } from './answer';
import { APEX, ZONE } from './fuzz/corpus';
import { createZone } from './zone';

const ask = (values: string[], isTcp: boolean): packet.DecodedPacket & { bytes: Buffer } => {
  const query = packet.encode({ type: 'query', id: 1, questions: [{ type: 'TXT', name: `x.${APEX}` }] });
  const { bytes } = answer(query, createZone(ZONE), () => values, { isTcp });
  return { ...packet.decode(bytes ?? Buffer.alloc(0)), bytes: bytes ?? Buffer.alloc(0) };
};

it('what is too long for TCP, too, is cut off there', () => {
  const { flag_tc: isCut, answers, bytes } = ask(Array.from({ length: 1_300 }, () => 'x'.repeat(43)), true);
  expect({ isCut, answers, length: bytes.length }).toEqual({ isCut: true, answers: [], length: 12 + 22 + 4 });
  expect(ask(Array.from({ length: 1_100 }, () => 'x'.repeat(43)), true).answers).toHaveLength(1_100);
});

it.each([0, 1, 255, 256, 510, 511])('a value of %i bytes is in strings of at most 255', (length) => {
  const [record] = ask(['x'.repeat(length)], true).answers ?? [];
  const strings = (record?.type === 'TXT' ? record.data : []) as Buffer[];
  expect(Buffer.concat(strings)).toHaveLength(length);
  expect(strings).toHaveLength(Math.max(1, Math.ceil(length / 255)));
});

it('addresses of any form', () => {
  const addresses = ['192.0.2.1', '::1', '2001:db8::', '2001:DB8:1:2:3:4:5:6', '::ffff:192.0.2.9'];
  const zone = createZone({ apex: APEX, nameServers: [{ name: `ns1.${APEX}`, addresses }] });
  const query = packet.encode({ type: 'query', id: 1, questions: [{ type: 'NS', name: APEX }] });
  const { additionals } = packet.decode(answer(query, zone, () => null, { isTcp: true }).bytes ?? Buffer.alloc(0));
  expect(additionals?.map((one) => ('data' in one ? one.data : null))).toEqual(['192.0.2.1', '::1', '2001:db8::', '2001:db8:1:2:3:4:5:6', '::ffff:c000:209']);
});
