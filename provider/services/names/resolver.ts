import type { PeerId } from '@libp2p/interface';
import type { ServicesLimits } from '../limits.ts';
import { ServiceError } from '../errors.ts';
import { checkRecord, isNewer, refuseOlder, type NameRecord } from './records.ts';
import type { NameStore } from './store.ts';

/** What somebody says a name stands for: not checked. */
export interface NameAnswer {
  record: Uint8Array;
  /** The block that the record names, where it came along. */
  descriptor?: Uint8Array;
}

/** Somebody to ask: connected peers, a DHT, a server. */
export interface NameSource {
  /** @param except a connected peer that is not to be asked */
  find(name: string, signal: AbortSignal, except?: PeerId): Promise<NameAnswer[]>;
}

export interface ResolvedName {
  record: NameRecord;
  descriptor?: Uint8Array;
}

/**
 * Finds the newest valid record of a name. Sources are asked one after the other until one has a record that holds; a
 * record that is older than one that we know never counts, whoever brings it.
 */
export class NameResolver {
  readonly #store: NameStore;
  readonly #sources: readonly NameSource[];
  readonly #limits: ServicesLimits;
  readonly #fresh = new Map<string, { resolved: ResolvedName; untilMs: number }>();
  readonly #underWay = new Map<string, Promise<ResolvedName>>();

  constructor(store: NameStore, sources: readonly NameSource[], limits: ServicesLimits) {
    this.#store = store;
    this.#sources = sources;
    this.#limits = limits;
  }

  /**
   * @throws ServiceError SERVICE_NOT_FOUND; RecordError when all that was found does not hold; the signal's reason
   */
  async resolve(name: string, signal: AbortSignal): Promise<ResolvedName> {
    signal.throwIfAborted();
    const fresh = this.#fresh.get(name);
    if (fresh !== undefined && Date.now() < fresh.untilMs) return fresh.resolved;
    let resolving = this.#underWay.get(name);
    if (resolving === undefined) {
      // Many wait for it, so no one of them can cancel it.
      resolving = this.#ask(name, AbortSignal.timeout(this.#limits.resolveTimeoutMs)).finally(() =>
        this.#underWay.delete(name),
      );
      resolving.catch(() => {});
      this.#underWay.set(name, resolving);
    }
    return untilAborted(resolving, signal);
  }

  /**
   * The newest valid record that anybody knows, of all sources, asked anew: some of them may have a reason to show an
   * older one. It is for names that strangers bring up, so the store learns no name by it.
   *
   * @param except a connected peer that is not to be asked
   * @returns undefined when nobody has any
   */
  async newest(name: string, signal: AbortSignal, except?: PeerId): Promise<ResolvedName | undefined> {
    // A source that does not answer must not take all the time of whoever asks.
    const soon = AbortSignal.any([signal, AbortSignal.timeout(this.#limits.resolveTimeoutMs / 2)]);
    const found = await Promise.allSettled(this.#sources.map((source) => source.find(name, soon, except)));
    signal.throwIfAborted();
    const answers = found.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    const best = (await this.#newestOf(name, answers)) ?? this.#known(name);
    if (best !== undefined) this.#store.renew(best.record);
    return best;
  }

  /** Asks anew the next time. */
  forget(name: string): void {
    this.#fresh.delete(name);
  }

  async #ask(name: string, signal: AbortSignal): Promise<ResolvedName> {
    let refusal: unknown;
    for (const source of this.#sources) {
      const answers = await source.find(name, signal).catch((error: unknown) => {
        refusal ??= error;
        return [];
      });
      const best = await this.#newestOf(name, answers, (error) => (refusal = error));
      if (best === undefined) continue;
      this.#store.put(best.record);
      return this.#keep(best);
    }
    const known = this.#known(name);
    if (known !== undefined) return this.#keep(known);
    if (refusal instanceof Error && !(refusal instanceof ServiceError)) throw refusal;
    throw new ServiceError('SERVICE_NOT_FOUND', `Nobody who was asked knows what ${name} stands for.`, refusal);
  }

  #known(name: string): ResolvedName | undefined {
    const record = this.#store.latest(name);
    return record !== undefined && record.expiresMs > Date.now() ? { record } : undefined;
  }

  /** The newest of what holds. */
  async #newestOf(
    name: string,
    answers: readonly NameAnswer[],
    onRefusal?: (error: unknown) => void,
  ): Promise<ResolvedName | undefined> {
    let best: ResolvedName | undefined;
    for (const { record: bytes, descriptor } of answers) {
      try {
        const record = await checkRecord(name, bytes, Date.now());
        refuseOlder(record, this.#store.latest(name));
        if (isNewer(record, best?.record)) best = { record, ...(descriptor === undefined ? {} : { descriptor }) };
        else if (best?.descriptor === undefined && descriptor !== undefined && best?.record.value === record.value) {
          best = { ...best, descriptor };
        }
      } catch (error) {
        onRefusal?.(error);
      }
    }
    return best;
  }

  #keep(resolved: ResolvedName): ResolvedName {
    const { cacheMsMin, cacheMsMax, namesMax } = this.#limits;
    const { name, ttlMs, expiresMs } = resolved.record;
    const keptMs = Math.min(Math.max(ttlMs, cacheMsMin), cacheMsMax);
    if (this.#fresh.size >= namesMax) this.#fresh.delete(this.#fresh.keys().next().value!);
    this.#fresh.set(name, { resolved, untilMs: Math.min(Date.now() + keptMs, expiresMs) });
    return resolved;
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
