import { type Certificate, type CertificateStore, terminal } from '@certwright/core';
import type { Logger } from '@certwright/runtime';
import { Router } from 'express';
import { methods } from '../methods';
import { presentCertificate } from '../present';
import { contextOf, logFieldsOf } from '../request-context';
import { isUuid } from './find-domain';

export interface CertificateRouteDeps {
  certificates: CertificateStore;
  logger: Logger;
}

/** RFC 8555 section 9.1. */
const PEM_CHAIN = 'application/pem-certificate-chain';

export function certificateRoutes({ certificates, logger }: CertificateRouteDeps): Router {
  const router = Router();

  async function newest(tenantId: string, domainId: string): Promise<Certificate> {
    const certificate = isUuid(domainId) ? await certificates.latest(tenantId, domainId) : null;
    if (!certificate) throw terminal('certificate_absent', 'There is no certificate for this domain yet.');
    return certificate;
  }

  methods(router, '/domains/:id/certificate', {
    async get(request, response) {
      const certificate = await newest(contextOf(request).tenantId, request.params.id ?? '');
      response.vary('Accept');
      if (request.accepts(['json', PEM_CHAIN]) === PEM_CHAIN) response.type(PEM_CHAIN).send(certificate.chainPem);
      else response.json(presentCertificate(certificate));
    },
  });

  methods(router, '/domains/:id/certificate/private-key', {
    async get(request, response) {
      const { tenantId } = contextOf(request);
      const certificate = await newest(tenantId, request.params.id ?? '');
      const pem = await certificates.privateKey(tenantId, certificate.id);
      if (pem === null) throw terminal('certificate_absent', 'There is no certificate for this domain yet.');
      // At a level that no configuration but `error` leaves out: this line is the audit.
      logger.warn('a private key was handed out', { ...logFieldsOf(request), tenantId, domainId: certificate.domainId, certificateId: certificate.id });
      response.set('Cache-Control', 'no-store').type('application/x-pem-file').send(pem);
    },
  });

  return router;
}
