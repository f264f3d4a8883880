export { createTxtLookup, type TxtLookupOptions } from './lookup-txt';
