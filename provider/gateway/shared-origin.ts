import type { HttpHeaders } from './http/index.ts';

const POLICY = 'sandbox allow-forms allow-scripts allow-popups allow-downloads allow-modals';

/** At a shared host a page gets an origin that nobody else has, so that it can neither read nor command its neighbours. */
export function separateOrigin(headers: HttpHeaders): void {
  const policy = headers['content-security-policy'];
  headers['content-security-policy'] = policy === undefined ? POLICY : [POLICY, policy].flat();
  delete headers['service-worker-allowed'];
}
