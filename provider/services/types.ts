import type { CID } from 'multiformats/cid';
import type { CancelSignal } from '../cancellation.ts';
import type { OutboxFigures } from './state/index.ts';
import type { CallRequest } from '../../sdk/client/index.ts';
import type { SealedDescriptor, SealedReceipt } from '../../sdk/protocol/index.ts';

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

/** What came back for one request: the head at once, the body as it comes, the receipt at the end, for whoever asks. */
export interface ServiceResponse {
  status: number;
  headers: Record<string, string>;
  body: AsyncIterable<Uint8Array>;
  /** The same in one piece, where all of it is here already. */
  whole?: Uint8Array;
  /** Known at once of a query that ran on this very provider; of everything else the receipt tells. */
  figures?: AnswerFigures;
  receipt(): Promise<SealedReceipt>;
}

/** What an answer took, and the CID of what came. */
export interface AnswerFigures {
  priceBytes: number;
  fuel: number;
  output(): CID;
}

/**
 * How a gateway uses services, wherever they run: on this provider without the network, or at the endpoint that ranks
 * best. Errors are WorkswapErrors: SERVICE_NOT_FOUND, OVER_CREDIT with figures, a handler's failure, no endpoint.
 */
export interface ServiceRunner {
  /** By IPNS name, or by the short name that this node gives it. */
  resolve(name: string, signal: CancelSignal): ResolvedService | Promise<ResolvedService>;
  run(service: ResolvedService, request: CallRequest, signal: CancelSignal): Promise<ServiceResponse>;
}

/** A service that this provider hosts. */
export interface HostedService extends ResolvedService {
  sealed: SealedDescriptor;
  /** Peer id of whoever asked us to host it; pays for visitors when `sponsor` is `maintainer`. */
  maintainer: string;
  /** Root of the state. */
  root: CID;
  /** The newest commit; undefined before the first. */
  commit: CID | undefined;
  /** How many commits were made here. */
  commits: number;
  /** When its descriptor ends, milliseconds since 1970. */
  expiresMs: number;
}

/** Why messages to a recipient wait. */
export interface Holdup {
  to: string;
  code: string;
  reason: string;
  attempts: number;
  /** When it is tried again, milliseconds since 1970. */
  nextMs: number;
}

/** What became of a service's messages that are not delivered. */
export interface MessagesFigures extends OutboxFigures {
  holdups: Holdup[];
}

/** One entry of a service's history, newest first. */
export interface HistoryEntry {
  cid: CID;
  previous: CID | undefined;
  before: CID;
  after: CID;
  tasks: CID[];
  timeMs: number;
}

/** What is asked of a provider that shall host a service. */
export interface HostRequest {
  /** IPNS record whose value is the descriptor. */
  record: Uint8Array;
  /** The descriptor block. */
  descriptor: Uint8Array;
}

export interface HostOptions {
  /** Peer id of whoever asks: serves the blocks, and pays when `sponsor` is `maintainer`. Default: this node itself. */
  maintainer?: string;
  /** For a service that moves here: the commit that its state continues from. */
  commit?: CID | undefined;
  signal?: AbortSignal;
}

export type ServicesEvent =
  | { event: 'hosted' | 'unhosted'; service: string; descriptor: string; maintainer: string }
  | { event: 'rolledBack'; service: string; commit: string; root: string };

/** The services of a provider: `provider.services`. */
export interface Services {
  /** In the order in which they were first hosted. */
  list(): HostedService[];
  /** By IPNS name or short name. */
  get(name: string): HostedService | undefined;
  /** The short name that this node gives a service. */
  shortNameOf(name: string): string | undefined;
  /**
   * Hosts a service, or takes its newer descriptor: fetches handler and site from `maintainer` and connected peers,
   * compiles the handler, then answers with the signed acceptance. A descriptor that does not name this provider ends
   * the hosting; the state is kept.
   *
   * @throws ServiceError, DocumentError, or why handler or site cannot be had
   */
  host(request: HostRequest, options?: HostOptions): Promise<{ acceptance: Uint8Array | undefined }>;
  /** At most `limit` commits (default 100), newest first, from `from` or the newest. */
  history(name: string, options?: { from?: CID; limit?: number; signal?: AbortSignal }): Promise<HistoryEntry[]>;
  /** By the maintainer's signed order. @throws DocumentError, ServiceError ROLLBACK_STALE */
  rollback(order: Uint8Array): Promise<{ commit: CID; root: CID }>;
  /** Hosted, unhosted and rolled back, from now on; the answer ends it. */
  onEvent(listener: (event: ServicesEvent) => void): () => void;
}
