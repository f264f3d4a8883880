import type { CaaLookup, DnsDoctor, TxtLookup } from '@certwright/core';
import { createCaaLookup } from './caa-lookup';
import { createDnsDoctor } from './doctor';
import { createTxtLookup, type TxtLookupOptions } from './lookup-txt';
import { createResolvers, systemResolvers } from './resolver';

export interface Dns {
  txtLookup: TxtLookup;
  dnsDoctor: DnsDoctor;
  caaLookup: CaaLookup;
}

/** All that is asked of DNS, with one memory of where zones are. */
export function createDns(options: TxtLookupOptions): Dns {
  const resolvers = createResolvers(options.resolvers.length > 0 ? options.resolvers : systemResolvers());
  const txtLookup = createTxtLookup(options);
  return {
    txtLookup,
    dnsDoctor: createDnsDoctor({ lookup: txtLookup.lookup, resolvers, authoritativePort: options.authoritativePort, timeoutMs: options.timeoutMs }),
    caaLookup: createCaaLookup({ resolvers, timeoutMs: options.timeoutMs }),
  };
}
