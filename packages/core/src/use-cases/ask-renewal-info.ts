import type { Renewal, RenewalNews, RenewalWindow } from '../model';
import type { AcmeGateway, CertificateStore, RenewalChange } from '../ports';
import { Problem } from '../problem';
import { askAgainMs, isUsable, momentIn, nextAskMs } from '../renewal';

/** Of one pass over many renewals. */
export interface RenewalPass {
  now: Date;
  /** Enough orders stand in line as it is. */
  isLineFull: boolean;
  /** The CA has not answered, or has asked to be left alone, until then: nobody else asks it. */
  caSilentUntil: Date;
}

/** What is to be noted of a renewal. */
export type Change = Omit<RenewalChange, 'lookAt' | 'news'> & { lookAt?: Date; news?: RenewalNews };

interface AskDeps {
  certificates: Pick<CertificateStore, 'get'>;
  acme: Pick<AcmeGateway, 'certId' | 'renewalInfo' | 'directoryUrl'>;
}

/** How long nobody asks a CA that gave no answer, in milliseconds; one that has asked for longer is left alone for longer. */
const SILENT_MS = 60_000;

const DAY_MS = 86_400_000;

const inMs = (now: Date, ms: number): Date => new Date(now.getTime() + ms);

/** RFC 9773 section 4: another window means another moment; the same one keeps what was chosen. No answer changes nothing. */
export async function askCa(deps: AskDeps, renewal: Renewal, pass: RenewalPass): Promise<Change> {
  const { askAt } = renewal;
  const { now } = pass;
  if (askAt === null || askAt > now) return {};
  if (renewal.directoryUrl !== deps.acme.directoryUrl) return { askAt: null };
  if (pass.caSilentUntil > now) return { askAt: inMs(pass.caSilentUntil, askAgainMs()) };
  const certId = renewal.certId ?? (await certIdOf(deps, renewal));
  if (certId === null) return { askAt: null };
  try {
    const info = await deps.acme.renewalInfo(certId);
    if (info === null) return { certId, askAt: inMs(now, DAY_MS) }; // it may make suggestions some day
    const { start, end, explanationUrl, retryAfterMs } = info;
    const next = { certId, askAt: inMs(now, nextAskMs(retryAfterMs)), explanationUrl };
    return isUsable({ start, end }, renewal) ? { ...next, ...moved(renewal, { start, end }, explanationUrl, now) } : next;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    // A refusal is about this certificate; everything else about the CA.
    if (error.disposition === 'terminal') return { certId, askAt: inMs(now, DAY_MS) };
    pass.caSilentUntil = inMs(now, Math.max(SILENT_MS, error.retryAfterMs ?? 0));
    return { askAt: inMs(pass.caSilentUntil, askAgainMs()) };
  }
}

/** Of certificates that were stored before anybody asked for it. */
async function certIdOf({ certificates, acme }: AskDeps, { tenantId, certificateId }: Renewal): Promise<string | null> {
  const certificate = await certificates.get(tenantId, certificateId);
  return certificate && acme.certId(certificate.chainPem);
}

function moved(renewal: Renewal, window: RenewalWindow, explanationUrl: string | null, now: Date): Change {
  const { window: before, renewAt, failures } = renewal;
  if (window.start.getTime() === before.start.getTime() && window.end.getTime() === before.end.getTime()) return {};
  const sooner = before.start.getTime() - window.start.getTime();
  // After a failure it is tried again when that is settled, unless the CA has come to be in a hurry.
  const isSettled = renewAt === null || failures > 0;
  const isFar = sooner > (renewal.notAfter.getTime() - renewal.notBefore.getTime()) / 12; // than our own guess and the CA's first word are apart
  const isNews = sooner > 0 && renewAt !== null && (window.end <= now || isFar);
  const news: RenewalNews = { step: 'moved', start: window.start.toISOString(), end: window.end.toISOString(), explanationUrl };
  return { window, ...((!isSettled || sooner > DAY_MS) && { renewAt: momentIn(window) }), ...(isNews && { news }) };
}
