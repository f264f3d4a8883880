import type { CertificateStore } from '@certwright/core';
import type { Db } from './client';
import { toCertificate } from './rows';
import type { SealedBox } from './sealed-box';

/** Where a certificate's private key is sealed for. */
export const certificateKeyPlace = (id: string) => ({ column: 'certificates.sealed_key', row: id });

export function createCertificateStore(db: Db, box: SealedBox): CertificateStore {
  return {
    async get(tenantId, id) {
      const row = await db.prisma.certificate.findFirst({ where: { id, tenantId }, omit: { sealedKey: true } });
      return row && toCertificate(row);
    },

    async latest(tenantId, domainId) {
      const row = await db.prisma.certificate.findFirst({
        where: { domainId, tenantId },
        orderBy: { createdAt: 'desc' },
        omit: { sealedKey: true },
      });
      return row && toCertificate(row);
    },

    async privateKey(tenantId, id) {
      const row = await db.prisma.certificate.findFirst({ where: { id, tenantId }, select: { sealedKey: true } });
      return row && box.open(row.sealedKey, certificateKeyPlace(id));
    },
  };
}
