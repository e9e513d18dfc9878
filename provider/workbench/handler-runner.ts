import { CID } from 'multiformats/cid';
import { DEFAULT_LIMITS, normalizeRequest } from '../../sdk/client/index.ts';
import type { CallRequest } from '../../sdk/client/index.ts';
import { deliveryOf, encodeInput, price, rawCid } from '../../sdk/protocol/index.ts';
import type { TaskLimits } from '../../sdk/protocol/index.ts';
import { parseConfig } from '../config.ts';
import { openLocalEngine } from '../local-engine.ts';
import type { LocalEngine } from '../local-engine.ts';
import type { JobSpec, Outcome } from '../sandbox/index.ts';
import { placeOf } from './error-place.ts';
import type { ErrorPlace } from './error-place.ts';
import type { MemoryState } from './memory-state.ts';

export interface RunRequest {
  request: CallRequest;
  caller: string;
  state: MemoryState;
  limits?: Partial<TaskLimits>;
  signal?: AbortSignal;
}

export interface RunResult {
  outcome: Outcome;
  /** What the job would cost at the default tariff. */
  priceBytes: number;
  /** Where in the author's sources an error was thrown, if it says so. */
  place: ErrorPlace | undefined;
  /** The job as it ran, to run it again. */
  job: JobSpec;
}

/** GET and HEAD are queries, which may not write. */
export function isQuery(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

/**
 * Runs handlers as a provider would, metered, in the real sandbox, without a network. What an update changed is applied
 * to the given state when it succeeded; updates of one state must not overlap.
 */
export class HandlerRunner {
  readonly engine: LocalEngine;
  readonly #blocks: Map<string, Uint8Array>;

  private constructor(engine: LocalEngine, blocks: Map<string, Uint8Array>) {
    this.engine = engine;
    this.#blocks = blocks;
  }

  static async open(blocksDirectory?: string): Promise<HandlerRunner> {
    const blocks = new Map<string, Uint8Array>();
    return new HandlerRunner(await openLocalEngine(blocksDirectory, blocks), blocks);
  }

  /** Bytes that handlers may read by their CID; a module to run is one of them. */
  addBlock(bytes: Uint8Array): CID {
    const cid = rawCid(bytes);
    this.#blocks.set(cid.toString(), bytes);
    return cid;
  }

  removeBlock(cid: CID): void {
    this.#blocks.delete(cid.toString());
  }

  async run(handler: CID, { request, caller, state, limits, signal }: RunRequest): Promise<RunResult> {
    const options = signal === undefined ? {} : { signal };
    const job = normalizeRequest(request);
    const input = encodeInput(job, caller);
    const delivery = deliveryOf(job);
    const spec: JobSpec = {
      module: await this.engine.modules.load(handler, options),
      input,
      seed: job.seed,
      timeMs: job.timeMs,
      limits: { ...DEFAULT_LIMITS, ...limits },
      state: { view: state, writable: !isQuery(job.method) },
      ...(delivery === undefined ? {} : { delivery }),
    };
    const outcome = await this.engine.sandbox.run(spec, options);
    if (outcome.error === undefined && outcome.changes !== undefined) state.apply(outcome.changes);
    const { outputBytes, readBytes, fuel, memoryPagesPeak, writtenBytes = 0, error } = outcome;
    const usage = {
      compiledBytes: 0,
      inputBytes: input.length,
      outputBytes,
      readBytes,
      writtenBytes,
      fuel,
      memoryPagesPeak,
    };
    return {
      outcome,
      priceBytes: price(parseConfig({}, 'defaults').tariff, usage),
      place: error === undefined ? undefined : placeOf(error.message),
      job: spec,
    };
  }

  close(): Promise<void> {
    return this.engine.close();
  }
}
