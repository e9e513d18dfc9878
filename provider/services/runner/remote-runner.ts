import type { Libp2p } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { Client } from '../../../sdk/client/index.ts';
import { JobError, normalizeRequest, ProviderFaultError, UnreachableError } from '../../../sdk/client/index.ts';
import {
  isExpired,
  openAcceptance,
  openDescriptor,
  WorkswapError,
  type Endpoint,
  type SealedDescriptor,
  type TaskLimits,
} from '../../../sdk/protocol/index.ts';
import { abortSignalOf, type CancelSignal } from '../../cancellation.ts';
import type { GetBlock } from '../../store/index.ts';
import { ServiceError } from '../errors.ts';
import type { ServicesLimits } from '../limits.ts';
import { descriptorOf, type DnsLink, type NameResolver, type ServiceKeys } from '../names/index.ts';
import { ask, decodeResolveAnswer } from '../net/index.ts';
import type { ResolvedService, ServiceResponse, ServiceRunner } from '../types.ts';
import { Connections } from './connections.ts';
import { addressesOf, EndpointRanking } from './endpoints.ts';

export interface RemoteRunnerInit {
  libp2p: Libp2p;
  resolver: NameResolver;
  keys: ServiceKeys | undefined;
  dnslink: DnsLink | undefined;
  getBlock: GetBlock;
  connect: (addrs: string[], options: { signal: AbortSignal }) => Promise<Client>;
  limits: ServicesLimits;
  taskLimits?: Partial<TaskLimits>;
}

/** An endpoint's word is asked for again after this time, however long it holds. */
const ACCEPTED_MS = 5 * 60_000;
const SERVICES_KEPT_MAX = 1_000;

/** Refusals before anything of an update ran: another endpoint may be asked. */
const NOT_STARTED = new Set([
  'SHUTTING_DOWN',
  'TOO_OFTEN',
  'TOO_MANY_REQUESTS',
  'TOO_MANY_STREAMS',
  'OVER_CREDIT',
  'LIMIT_TOO_HIGH',
  'SERVICE_NOT_HOSTED',
  'SERVICE_EXPIRED',
  'HANDLER_MISMATCH',
  'STATE_BUSY',
  'STATE_CLOSED',
]);

/** The service's descriptor is newer than ours. */
const CHANGED = new Set(['HANDLER_MISMATCH', 'SERVICE_CHANGED', 'SERVICE_NOT_HOSTED']);

/**
 * Uses services at their endpoints. An endpoint counts only while the maintainer's descriptor and the endpoint's own
 * acceptance are both valid. When one fails, the next is asked: a query always, an update only when it surely did not
 * start. The same task is sent, so that an endpoint that has seen it gives the answer that it gave.
 */
export class RemoteRunner implements ServiceRunner {
  readonly #init: RemoteRunnerInit;
  readonly #ranking = new EndpointRanking();
  readonly #connections: Connections;
  readonly #services = new Map<string, SealedDescriptor>();
  readonly #accepted = new Map<string, number>();
  readonly #closing = new AbortController();
  readonly #accepting = new Map<string, Promise<void>>();

  constructor(init: RemoteRunnerInit) {
    this.#init = init;
    this.#connections = new Connections(init.connect);
  }

  /** @throws ServiceError SERVICE_NOT_FOUND, SERVICE_EXPIRED; RecordError; DocumentError */
  async resolve(name: string, signal: CancelSignal): Promise<ResolvedService> {
    const { cid, descriptor } = await this.#descriptor(name, abortSignalOf(signal));
    const { handler, site, policy } = descriptor;
    return { name: descriptor.name, handler, site, descriptor: cid, sponsor: policy.sponsor };
  }

  /** @throws JobError as the endpoint reported it; ServiceError NO_ENDPOINT */
  async run(
    service: ResolvedService,
    request: Parameters<ServiceRunner['run']>[1],
    cancel: CancelSignal,
  ): Promise<ServiceResponse> {
    const signal = abortSignalOf(cancel);
    // One time and seed for all attempts: wherever it runs, it is the same task.
    const fixed = normalizeRequest(request);
    const path = fixed.query === '' ? fixed.path : `${fixed.path}?${fixed.query}`;
    const again = { ...request, method: fixed.method, path, timeMs: fixed.timeMs, seed: fixed.seed };
    const sealed = await this.#descriptor(service.name, signal);
    try {
      return await this.#runAt(sealed, again, signal);
    } catch (error) {
      if (!(error instanceof WorkswapError) || !CHANGED.has(error.code)) throw error;
      this.#init.resolver.forget(service.name);
      const newer = await this.#descriptor(service.name, signal);
      if (newer.cid.equals(sealed.cid)) throw error;
      return this.#runAt(newer, again, signal);
    }
  }

  close(): void {
    this.#closing.abort(new UnreachableError('The consumer is stopping'));
    this.#connections.close();
  }

  async #runAt(
    sealed: SealedDescriptor,
    request: Parameters<ServiceRunner['run']>[1],
    signal: AbortSignal,
  ): Promise<ServiceResponse> {
    const { name, handler, endpoints } = sealed.descriptor;
    const isQuery = request.method === 'GET' || request.method === 'HEAD';
    let refusal: unknown;
    for (const endpoint of this.#ranking.rank(endpoints)) {
      signal.throwIfAborted();
      const sinceMs = performance.now();
      let isSent = false;
      try {
        const client = await this.#open(endpoint, sealed, signal);
        const task = client.prepare(handler, request, this.#init.taskLimits, { service: name });
        isSent = true;
        const response = await client.run(task, { signal });
        this.#ranking.answered(endpoint.peer, performance.now() - sinceMs);
        const { status, headers, receipt } = response;
        return { status, headers, body: response, receipt: () => receipt };
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof UnreachableError) this.#connections.drop(endpoint.peer);
        if (!isEndpointsFault(error)) throw error;
        this.#ranking.failed(endpoint.peer);
        this.#accepted.delete(acceptedKey(endpoint.peer, sealed));
        if (isSent && !isQuery && !hasNotStarted(error)) throw error;
        // Figures of a refusal for credit help more than the last endpoint's silence.
        if (refusal === undefined || codeOf(error) === 'OVER_CREDIT') refusal = error;
      }
    }
    if (refusal instanceof WorkswapError && refusal.code !== 'PROVIDER_UNREACHABLE') throw refusal;
    const tried = endpoints.length === 0 ? 'It has none.' : `Tried ${endpoints.length}: ${(refusal as Error).message}`;
    throw new ServiceError('NO_ENDPOINT', `No endpoint of ${name} answers. ${tried}`, refusal);
  }

  /** A connection to an endpoint that says itself that it serves this descriptor. */
  async #open(endpoint: Endpoint, sealed: SealedDescriptor, signal: AbortSignal): Promise<Client> {
    const { limits } = this.#init;
    const client = await this.#connections.to(endpoint.peer, addressesOf(endpoint), limits.askTimeoutMs);
    if (client.provider !== endpoint.peer) {
      throw new ProviderFaultError(`${endpoint.peer} was asked and ${client.provider} answered`);
    }
    const key = acceptedKey(endpoint.peer, sealed);
    if ((this.#accepted.get(key) ?? 0) > Date.now()) return client;
    // Many visitors at once need one answer; none of them can cancel it for the others.
    let accepting = this.#accepting.get(key);
    if (accepting === undefined) {
      accepting = this.#askAcceptance(endpoint, sealed, key).finally(() => this.#accepting.delete(key));
      this.#accepting.set(key, accepting);
    }
    await accepting;
    signal.throwIfAborted();
    return client;
  }

  async #askAcceptance(endpoint: Endpoint, sealed: SealedDescriptor, key: string): Promise<void> {
    const { libp2p, limits } = this.#init;
    const question = { ask: 'resolve', name: sealed.descriptor.name } as const;
    const options = { timeoutMs: limits.askTimeoutMs, signal: this.#closing.signal };
    const answer = await ask(libp2p, peerIdFromString(endpoint.peer), question, decodeResolveAnswer, options);
    const untilMs = await checkAcceptance(answer.acceptance, endpoint, sealed);
    if (this.#accepted.size >= SERVICES_KEPT_MAX) this.#accepted.delete(this.#accepted.keys().next().value!);
    this.#accepted.set(key, Math.min(untilMs, Date.now() + ACCEPTED_MS));
  }

  async #descriptor(text: string, signal: AbortSignal): Promise<SealedDescriptor> {
    const name = await this.#nameOf(text);
    const { record, descriptor } = await this.#init.resolver.resolve(name, signal);
    const cid = descriptorOf(record);
    let sealed = this.#services.get(name);
    if (sealed === undefined || !sealed.cid.equals(cid)) {
      sealed = await this.#fetchDescriptor(name, cid, descriptor, signal);
      if (this.#services.size >= SERVICES_KEPT_MAX) this.#services.delete(this.#services.keys().next().value!);
      this.#services.set(name, sealed);
    }
    if (!isExpired(sealed.descriptor, Date.now())) return sealed;
    throw new ServiceError('SERVICE_EXPIRED', `The descriptor of ${name} has expired; its maintainer has to renew it.`);
  }

  async #fetchDescriptor(
    name: string,
    cid: SealedDescriptor['cid'],
    bytes: Uint8Array | undefined,
    signal: AbortSignal,
  ): Promise<SealedDescriptor> {
    const given = bytes === undefined ? undefined : await openDescriptor(bytes).catch(() => undefined);
    const sealed = given?.cid.equals(cid) ? given : await openDescriptor(await this.#init.getBlock(cid, { signal }));
    if (sealed.descriptor.name === name) return sealed;
    throw new ServiceError('BAD_ANSWER', `${name} leads to the descriptor of ${sealed.descriptor.name}.`);
  }

  async #nameOf(text: string): Promise<string> {
    if (text.includes('.')) {
      if (this.#init.dnslink !== undefined) return this.#init.dnslink.resolve(text);
      throw new ServiceError(
        'SERVICE_NOT_FOUND',
        `${text.slice(0, 253)} has dots, and DNSLink is off ([services] dnslink).`,
      );
    }
    const own = await this.#init.keys?.nameOf(text);
    if (own !== undefined) return own;
    if (text.startsWith('k51')) return text;
    throw new ServiceError(
      'SERVICE_NOT_FOUND',
      `"${text.slice(0, 100)}" is neither a name k51... nor a short name here.`,
    );
  }
}

/** @throws ServiceError when the endpoint does not say, or not validly, that it serves this descriptor */
async function checkAcceptance(
  bytes: Uint8Array | undefined,
  { peer }: Endpoint,
  { cid, descriptor }: SealedDescriptor,
): Promise<number> {
  if (bytes === undefined) throw new ServiceError('SERVICE_NOT_HOSTED', `${peer} does not serve ${descriptor.name}.`);
  const acceptance = await openAcceptance(bytes);
  if (acceptance.provider !== peer || acceptance.service !== descriptor.name || isExpired(acceptance, Date.now())) {
    throw new ServiceError('BAD_ANSWER', `The acceptance that ${peer} shows is another's, or has expired.`);
  }
  if (acceptance.descriptor.equals(cid)) return acceptance.expiresMs;
  throw new ServiceError('SERVICE_CHANGED', `${peer} serves another descriptor of ${descriptor.name}.`);
}

function acceptedKey(peer: string, { cid }: SealedDescriptor): string {
  return `${peer} ${cid.toString()}`;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof WorkswapError ? error.code : undefined;
}

/** A failure of the handler, or a mistake of the request, is the same everywhere. */
function isEndpointsFault(error: unknown): boolean {
  if (!(error instanceof WorkswapError)) return false;
  return error.fault === 'provider' || NOT_STARTED.has(error.code) || CHANGED.has(error.code);
}

function hasNotStarted(error: unknown): boolean {
  return error instanceof JobError && NOT_STARTED.has(error.code);
}
