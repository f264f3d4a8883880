export { createTxtLookup, type TxtLookupOptions } from './lookup-txt';
export { createDns, type Dns } from './dns';
export { decode as decodeMessage, encode as encodeMessage } from './message';
