import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

export interface SetupLinks {
  /** A token that names one domain until `expiresAt`, and that nobody else can make. */
  sign(link: SetupLink): string;
  /** Null for a token that is not ours, or no longer valid. */
  open(token: string, now?: Date): SetupLink | null;
}

export interface SetupLink {
  tenantId: string;
  domainId: string;
  expiresAt: Date;
}

const ID_BYTES = 16;
const TIME_BYTES = 6;
const MAC_BYTES = 16;
const BODY_BYTES = 2 * ID_BYTES + TIME_BYTES;

/** Links carry all they need: nothing is stored, and all of them end with the master key. */
export function createSetupLinks(masterKey: Buffer): SetupLinks {
  const key = Buffer.from(hkdfSync('sha256', masterKey, '', 'certwright setup link', 32));
  const mac = (body: Buffer): Buffer => createHmac('sha256', key).update(body).digest().subarray(0, MAC_BYTES);
  return {
    sign({ tenantId, domainId, expiresAt }) {
      const body = Buffer.concat([idBytes(tenantId), idBytes(domainId), Buffer.alloc(TIME_BYTES)]);
      body.writeUIntBE(Math.floor(expiresAt.getTime() / 1_000), 2 * ID_BYTES, TIME_BYTES);
      return Buffer.concat([body, mac(body)]).toString('base64url');
    },
    open(token, now = new Date()) {
      const bytes = Buffer.from(token, 'base64url');
      if (bytes.length !== BODY_BYTES + MAC_BYTES || bytes.toString('base64url') !== token) return null;
      const body = bytes.subarray(0, BODY_BYTES);
      if (!timingSafeEqual(mac(body), bytes.subarray(BODY_BYTES))) return null;
      const expiresAt = new Date(body.readUIntBE(2 * ID_BYTES, TIME_BYTES) * 1_000);
      if (expiresAt <= now) return null;
      return { tenantId: idFrom(body.subarray(0, ID_BYTES)), domainId: idFrom(body.subarray(ID_BYTES, 2 * ID_BYTES)), expiresAt };
    },
  };
}

const idBytes = (uuid: string): Buffer => Buffer.from(uuid.replaceAll('-', ''), 'hex');
const idFrom = (bytes: Buffer): string => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
