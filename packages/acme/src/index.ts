export type { AcmeStep } from './acme-problem';
export { createAcmeGateway, type AcmeGatewayOptions, type ClosableAcmeGateway } from './gateway';
export { createKeyMaker } from './keys';
export type { AcmeRequestInfo } from './transport';
