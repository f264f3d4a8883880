export { createTxtLookup, type TxtLookupOptions } from './lookup-txt';
export { createDns, type Dns } from './dns';
