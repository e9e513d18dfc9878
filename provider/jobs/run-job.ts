import type { PeerId } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import {
  WorkswapError,
  dagCborCid,
  encodeInput,
  encodeTask,
  price,
  rawCid,
  taskCid,
} from '../../sdk/protocol/index.ts';
import type { JobRequest, Quote, Receipt, SealedReceipt, TaskLimits, Usage } from '../../sdk/protocol/index.ts';
import type { Reservation } from '../ledger/index.ts';
import { abiVersion } from '../sandbox/index.ts';
import type { JobSpec, LoadedModule, Outcome } from '../sandbox/index.ts';
import { checkServiceJob, encodeAnswer, isQuery, keptAnswer, runAtState } from './service-job.ts';
import type { RanAt } from './service-job.ts';
import type { Settler } from './settler.ts';
import type { JobsComponents, JobsLimits } from './types.ts';

export interface Job {
  consumer: PeerId;
  handler: CID;
  request: JobRequest;
  limits: TaskLimits;
  /** IPNS name of the service at whose state it runs. */
  service?: string;
  /** True for a job of the provider itself: no account is charged. */
  isOwn?: boolean;
}

export interface FinishedJob {
  outcome: Pick<Outcome, 'head' | 'body' | 'error' | 'status' | 'headers'>;
  sealed: SealedReceipt;
}

export interface Rooms extends JobsComponents {
  limits: JobsLimits;
  settler: Settler;
}

export class LimitError extends WorkswapError {
  constructor(name: string, asked: number, max: number) {
    super('LIMIT_TOO_HIGH', `${name} is ${asked}; this provider allows at most ${max}`, { fault: 'consumer' });
  }
}

/** The job could not be paid even if it did nothing. */
export class PriceLimitError extends WorkswapError {
  constructor(priceMaxBytes: number, least: number) {
    super(
      'PRICE_EXCEEDED',
      `The job costs at least ${least} bytes before it starts; priceMaxBytes is ${priceMaxBytes}`,
      {
        fault: 'consumer',
      },
    );
  }
}

/**
 * The whole way of one job: admit -> load -> run (-> commit) -> settle -> sign. Decoding and encoding are the stream's.
 * The reservation that admits the job ends on every path: settled with the receipt, or abandoned with what was burnt.
 */
export async function runJob(rooms: Rooms, job: Job, signal: AbortSignal): Promise<FinishedJob> {
  const { consumer, handler, request, limits } = job;
  checkLimits(limits, rooms.limits);
  const tariff = rooms.tariff();
  const input = encodeInput(request, consumer.toString());
  const inputCid = dagCborCid(input);
  const taskBytes = encodeTask({ handler, input: inputCid, limits, ...serviceField(job) });
  const task = dagCborCid(taskBytes);
  const service = job.service === undefined ? undefined : rooms.service(job.service);
  if (service !== undefined) {
    checkServiceJob(service, handler, request, Date.now());
    const kept = isQuery(request) ? undefined : keptAnswer(service.state, task);
    if (kept !== undefined) return kept;
  }
  const sponsor = job.isOwn ? undefined : service?.sponsorOf(consumer, limits.priceMaxBytes);
  const reservation = job.isOwn
    ? undefined
    : rooms.scoreLedger.reserve(sponsor ?? consumer, limits.priceMaxBytes, 'work');
  let ran: RanAt;
  let module: LoadedModule;
  let usage: Usage;
  try {
    module = await rooms.modules.load(handler, { signal, peers: [consumer] });
    const compiledBytes = module.compiledNow === true ? module.sizeBytes : 0;
    const least = price(tariff.rates, { ...idle(input.length), compiledBytes });
    if (least > limits.priceMaxBytes) throw new PriceLimitError(limits.priceMaxBytes, least);
    const spec: JobSpec = {
      module,
      input,
      seed: request.seed,
      timeMs: request.timeMs,
      limits: { ...limits, timeoutMs: Math.min(limits.timeoutMs || Infinity, rooms.limits.timeoutMsMax) },
      budget: { rates: tariff.rates, priceMax: limits.priceMaxBytes, compiledBytes },
    };
    const options = { signal, consumer: consumer.toString() };
    if (service === undefined) ran = { outcome: await rooms.sandbox.run(spec, options) };
    else {
      // Whoever replays the commit needs what went in, so it is there before the commit is.
      if (!isQuery(request)) await Promise.all([rooms.keepBlock(task, taskBytes), rooms.keepBlock(inputCid, input)]);
      const run = (state: JobSpec['state'] & {}): Promise<Outcome> => rooms.sandbox.run({ ...spec, state }, options);
      ran = await runAtState(service.state, task, request, run, signal);
    }
    usage = usageOf(ran.outcome, input.length, compiledBytes);
  } catch (error) {
    if (reservation !== undefined) {
      rooms.scoreLedger.abandon(reservation, isOurStop(signal) ? 0 : burntPrice(error, rooms, reservation));
    }
    throw error;
  }
  const { outcome, ...at } = ran;
  const receipt: Receipt = {
    task,
    handler,
    input: inputCid,
    output: outputCid(outcome),
    usage,
    priceBytes: price(tariff.rates, usage),
    tariff: tariff.cid,
    meterVersion: receiptMeterVersion(module),
    provider: tariff.provider,
    consumer: consumer.toString(),
    ...at,
    ...(sponsor === undefined ? {} : { sponsor: sponsor.toString() }),
  };
  if (outcome.error !== undefined) receipt.error = outcome.error.code;
  const finished = { outcome, sealed: await rooms.settler.settle(reservation, receipt) };
  if (sponsor !== undefined) service?.sponsored(consumer, receipt.priceBytes);
  if (service !== undefined && !isQuery(request)) service.state.keepAnswer(task, encodeAnswer(finished));
  return finished;
}

function serviceField({ service }: Job): { service?: string } {
  return service === undefined ? {} : { service };
}

/** The upper bound of a task's price, without running it. Loads the handler, since its size is part of the price. */
export async function quoteJob(rooms: Rooms, job: Job, signal: AbortSignal, nowMs: number): Promise<Quote> {
  const { consumer, handler, request, limits } = job;
  checkLimits(limits, rooms.limits);
  const { rates, cid: tariff } = rooms.tariff();
  const input = encodeInput(request, consumer.toString());
  const compiledBytes = await rooms.modules.compileSize(handler, { signal, peers: [consumer] });
  const most = price(rates, {
    compiledBytes,
    inputBytes: input.length,
    outputBytes: limits.outputBytesMax,
    readBytes: 0,
    writtenBytes: 0,
    fuel: limits.fuelMax,
    memoryPagesPeak: limits.memoryPagesMax,
  });
  return {
    task: taskCid({ handler, input: dagCborCid(input), limits, ...serviceField(job) }),
    tariff,
    priceMaxBytes: Math.min(most, limits.priceMaxBytes),
    compileBytes: Math.ceil((rates.compile * compiledBytes) / 1024),
    expiresMs: nowMs + QUOTE_TTL_MS,
  };
}

const QUOTE_TTL_MS = 60_000;

/** The version of everything that fuel depends on: the metering rules and the prices of host calls. */
export function receiptMeterVersion(module: LoadedModule): string {
  return `${module.meterVersion}+abi.${abiVersion}`;
}

/** Output of a job that failed is never delivered, so the receipt names the empty output and charges none. */
export function outputCid(outcome: Outcome): CID {
  return outcome.error === undefined ? rawCid(outcome.head, outcome.body) : rawCid(new Uint8Array());
}

export function usageOf(outcome: Outcome, inputBytes: number, compiledBytes: number): Usage {
  const { fuel, memoryPagesPeak, readBytes, writtenBytes, outputBytes } = outcome;
  return {
    compiledBytes,
    inputBytes,
    outputBytes: outcome.error === undefined ? outputBytes : 0,
    readBytes,
    writtenBytes,
    fuel,
    memoryPagesPeak,
  };
}

function idle(inputBytes: number): Usage {
  return { compiledBytes: 0, inputBytes, outputBytes: 0, readBytes: 0, writtenBytes: 0, fuel: 0, memoryPagesPeak: 0 };
}

function checkLimits(asked: TaskLimits, allowed: JobsLimits): void {
  if (asked.memoryPagesMax > allowed.memoryPagesMax) {
    throw new LimitError('memoryPagesMax', asked.memoryPagesMax, allowed.memoryPagesMax);
  }
  if (asked.outputBytesMax > allowed.outputBytesMax) {
    throw new LimitError('outputBytesMax', asked.outputBytesMax, allowed.outputBytesMax);
  }
}

/**
 * What a job that ended without an outcome owes: the time it ran, at the fuel a worker burns in it, and the module that
 * was fetched and compiled for nothing. Without this, burning and then cancelling, missing a block or sending a broken
 * module would be free.
 */
function burntPrice(error: unknown, rooms: Rooms, reservation: Reservation): number {
  const { rates } = rooms.tariff();
  const elapsedMs = numberField(error, 'elapsedMs');
  const compiledBytes = numberField(error, 'sizeBytes');
  if (elapsedMs === 0 && compiledBytes === 0) return 0;
  const burnt = price(rates, { ...idle(0), compiledBytes, fuel: Math.ceil(elapsedMs * rooms.limits.fuelPerMs) });
  return Math.min(burnt, reservation.amount);
}

/** A job that we end because we are stopping is refunded, whatever it burnt. */
function isOurStop(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason instanceof WorkswapError && signal.reason.fault === 'provider';
}

function numberField(error: unknown, name: string): number {
  const value = error instanceof WorkswapError ? (error as unknown as Record<string, unknown>)[name] : undefined;
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}
