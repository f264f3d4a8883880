import { type IssuedCertificate, momentIn, type RenewalPlan, windowOf } from '@certwright/core';

/** When a certificate would be renewed whose CA makes no suggestions; somebody has set the value for it. */
export function planFor(issued: Pick<IssuedCertificate, 'notBefore' | 'notAfter'>, more: Partial<RenewalPlan> = {}): RenewalPlan {
  const window = windowOf(issued);
  return { directoryUrl: 'https://ca.test/dir', certId: null, window, renewAt: momentIn(window), askAt: null, manual: true, ...more };
}
