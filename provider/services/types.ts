import type { CID } from 'multiformats/cid';
import type { CallRequest } from '../../sdk/client/index.ts';
import type { SealedReceipt } from '../../sdk/protocol/index.ts';

/** A service as whoever wants to use it has found it: its descriptor, checked, and where it runs. */
export interface ResolvedService {
  /** The service's IPNS name, `k51...`. */
  name: string;
  handler: CID;
  /** Root of the static files. */
  site: CID | undefined;
  /** CID of the descriptor. */
  descriptor: CID;
  /** Who pays for visitors that have no account of their own. */
  sponsor: 'maintainer' | 'caller';
}

/** What came back for one request: the head at once, the body as it comes, the receipt at the end. */
export interface ServiceResponse {
  status: number;
  headers: Record<string, string>;
  body: AsyncIterable<Uint8Array>;
  receipt: Promise<SealedReceipt>;
}

/**
 * How a gateway uses services, wherever they run: on this provider without the network, or at the endpoint that ranks
 * best. Errors are WorkswapErrors: SERVICE_NOT_FOUND, OVER_CREDIT with figures, a handler's failure, no endpoint.
 */
export interface ServiceRunner {
  /** By IPNS name, or by the short name that this node gives it. */
  resolve(name: string, signal: AbortSignal): Promise<ResolvedService>;
  run(service: ResolvedService, request: CallRequest, signal: AbortSignal): Promise<ServiceResponse>;
}
