import { isPublicAddress } from './public-address';

it.each(['9.9.9.9', '192.5.6.30', '172.32.0.1', '100.128.0.1', '2620:fe::fe', '2001:500:2f::f', '2a00:1450::1'])(
  '%s may be asked',
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

it.each([
  ['this network', '0.0.0.1'],
  ['private', '10.1.2.3'],
  ['private', '172.16.0.1'],
  ['private', '192.168.1.1'],
  ['shared', '100.64.0.1'],
  ['loopback', '127.0.0.1'],
  ['loopback', '::1'],
  ['unspecified', '::'],
  ['link-local', '169.254.169.254'],
  ['link-local', 'fe80::1'],
  ['unique local', 'fd00::1'],
  ['documentation', '192.0.2.1'],
  ['documentation', '2001:db8::1'],
  ['multicast', '224.0.0.1'],
  ['multicast', 'ff02::1'],
  ['broadcast', '255.255.255.255'],
  ['an IPv4 address in IPv6 clothes', '::ffff:127.0.0.1'],
  ['NAT64', '64:ff9b::7f00:1'],
  ['6to4', '2002:7f00:1::'],
  ['Teredo', '2001::1'],
  ['no address', 'localhost'],
])('%s is refused: %s', (_what, address) => {
  expect(isPublicAddress(address)).toBe(false);
});
