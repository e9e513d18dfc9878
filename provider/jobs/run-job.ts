import type { PeerId } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { CID } from 'multiformats/cid';
import {
  WorkswapError,
  dagCborCid,
  deliveryOf,
  DeliveryError,
  encodeInput,
  encodeTask,
  price,
  rawCidOf,
} from '../../sdk/protocol/index.ts';
import type { JobRequest, Receipt, SealedReceipt, TaskLimits, Usage } from '../../sdk/protocol/index.ts';
import type { Cancellation } from '../cancellation.ts';
import type { Reservation } from '../ledger/index.ts';
import { abiVersion } from '../sandbox/index.ts';
import type { JobSpec, LoadedModule, Outcome } from '../sandbox/index.ts';
import { assertDelivers, checkDelivery } from './delivery.ts';
import { applyUpdate, checkServiceJob, isQuery, keptAnswer } from './service-job.ts';
import type { NamedTask, RanAt, Seal } from './service-job.ts';
import type { Settler } from './settler.ts';
import type { JobsComponents, JobService, JobsLimits } from './types.ts';
import type { UpdatesUnderWay } from './updates-under-way.ts';

export interface Job {
  consumer: PeerId;
  handler: CID;
  request: JobRequest;
  limits: TaskLimits;
  /** IPNS name of the service at whose state it runs. */
  service?: string;
  /** True for a job of the provider itself: no account is charged. */
  isOwn?: boolean;
  /** True when the provider itself brings a message of a service that is here. */
  isDelivery?: boolean;
}

export interface FinishedJob {
  outcome: Pick<Outcome, 'head' | 'body' | 'error' | 'status' | 'headers'>;
  sealed: SealedReceipt;
  /** It was answered before, and is paid already. */
  isRepeat?: boolean;
}

export interface Rooms extends JobsComponents {
  limits: JobsLimits;
  settler: Settler;
  updates: UpdatesUnderWay;
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
 * The whole way of one job: admit -> load -> run (-> commit) -> settle -> sign. Decoding and encoding are the stream's. An
 * update is done once: the same task again gets the same answer, also while the first still runs.
 */
export async function runJob(rooms: Rooms, job: Job, cancellation: Cancellation): Promise<FinishedJob> {
  const { consumer, handler, request, limits } = job;
  checkLimits(limits, rooms.limits);
  const named = nameTask(job, encodeInput(request, consumer.toString()));
  const { delivery } = named;
  if (job.service === undefined) {
    if (delivery !== undefined) throw new DeliveryError('it names no service');
    return runAdmitted(rooms, job, named, undefined, cancellation);
  }
  const service = rooms.service(job.service);
  checkServiceJob(service, handler, request, Date.now());
  if (isQuery(request)) return runAdmitted(rooms, job, named, service, cancellation);
  if (delivery !== undefined) await checkDelivery(rooms, job, delivery, cancellation.signal);
  const updateOnce = async (): Promise<FinishedJob> => {
    const kept = keptAnswer(service.state, named.task);
    if (kept === undefined) return runAdmitted(rooms, job, named, service, cancellation);
    const { receipt } = kept.finished.sealed;
    const payer = receipt.sponsor === undefined ? consumer : peerIdFromString(receipt.sponsor);
    if (!job.isOwn) await rooms.settler.bookKept(payer, kept.finished.sealed, kept.isEarlier);
    return kept.finished;
  };
  return rooms.updates.run(named.task, updateOnce, cancellation.signal);
}

/** A query of the provider itself. No account is charged, so its receipt is made only for whoever asks. */
export interface AnsweredQuery {
  outcome: Outcome;
  cost: Cost;
  output(): CID;
  /** Of the state that the query ran at, whatever came after. The same whenever it is asked for. */
  receipt(): Promise<SealedReceipt>;
}

export interface Cost {
  usage: Usage;
  priceBytes: number;
}

/** Runs a query of the provider itself: as `runJob` does, but without naming and signing what nobody may want to see. */
export async function runQuery(rooms: Rooms, job: Job, cancellation: Cancellation): Promise<AnsweredQuery> {
  const { consumer, handler, request, limits } = job;
  checkLimits(limits, rooms.limits);
  const visitor = consumer.toString();
  const input = encodeInput(request, visitor);
  const service = job.service === undefined ? undefined : rooms.service(job.service);
  if (service !== undefined) checkServiceJob(service, handler, request, Date.now());
  const module = rooms.modules.ready(handler) ?? (await loadModule(rooms, job, cancellation));
  const { spec, costOf, receiptOf } = specify(rooms, job, input, undefined, module);
  const at = service && { state: service.state.root };
  if (service !== undefined) spec.state = { view: service.state.view(), writable: false };
  const outcome = await rooms.sandbox.run(spec, { signal: cancellation, consumer: visitor });
  let output: CID | undefined;
  let sealed: Promise<SealedReceipt> | undefined;
  return {
    outcome,
    cost: costOf(outcome),
    output: () => (output ??= rawCidOf(outcome.outputDigest)),
    receipt: () => (sealed ??= rooms.settler.seal(receiptOf(nameTask(job, input), outcome, at))),
  };
}

function nameTask({ handler, limits, service, request }: Job, input: Uint8Array): NamedTask {
  const delivery = deliveryOf(request);
  const inputCid = dagCborCid(input);
  const taskBytes = encodeTask({ handler, input: inputCid, limits, ...serviceField({ service }) });
  return { input, inputCid, taskBytes, task: dagCborCid(taskBytes), timeMs: request.timeMs, delivery };
}

/** The reservation that admits the job ends on every path: settled with the receipt, or abandoned with what was burnt. */
async function runAdmitted(
  rooms: Rooms,
  job: Job,
  named: NamedTask,
  service: JobService | undefined,
  cancellation: Cancellation,
): Promise<FinishedJob> {
  const { consumer, request, limits } = job;
  const { settler, scoreLedger } = rooms;
  const sponsor = job.isOwn ? undefined : service?.sponsorOf(consumer, limits.priceMaxBytes);
  const reservation = job.isOwn ? undefined : scoreLedger.reserve(sponsor ?? consumer, limits.priceMaxBytes, 'work');
  let settle: () => Promise<FinishedJob>;
  try {
    const module = rooms.modules.ready(job.handler) ?? (await loadModule(rooms, job, cancellation));
    const { spec, receiptOf } = specify(rooms, job, named.input, sponsor, module);
    if (named.delivery !== undefined) {
      assertDelivers(module);
      spec.delivery = named.delivery;
    }
    const run = (state?: JobSpec['state']): Promise<Outcome> =>
      rooms.sandbox.run(state === undefined ? spec : { ...spec, state }, {
        signal: cancellation,
        consumer: consumer.toString(),
      });
    if (service !== undefined && !isQuery(request)) {
      // Signed and kept with the commit, so that a crash from then on cannot take the answer away.
      const seal: Seal = (outcome, at) => settler.seal(receiptOf(named, outcome, at));
      const finished = await applyUpdate(service.state, named, run, seal, cancellation.signal);
      settle = async () => {
        await settler.bookUpdate(reservation, finished.sealed);
        return finished;
      };
    } else {
      const at = service && { state: service.state.root };
      const outcome = await run(at && { view: service.state.view(), writable: false });
      settle = async () => ({ outcome, sealed: await settler.settle(reservation, receiptOf(named, outcome, at)) });
    }
  } catch (error) {
    if (reservation !== undefined) {
      scoreLedger.abandon(reservation, isOurStop(cancellation) ? 0 : burntPrice(error, rooms, reservation));
    }
    throw error;
  }
  const finished = await settle();
  if (sponsor !== undefined) service?.sponsored(consumer, finished.sealed.receipt.priceBytes);
  return finished;
}

interface Specified {
  spec: JobSpec;
  costOf(outcome: Outcome): Cost;
  receiptOf(named: NamedTask, outcome: Outcome, at: Partial<RanAt> | undefined): Receipt;
}

function loadModule(rooms: Rooms, { consumer, handler }: Job, { signal }: Cancellation): Promise<LoadedModule> {
  return rooms.modules.load(handler, { signal, peers: [consumer] });
}

/** What the sandbox is to do, and the receipt of what comes of it. */
function specify(
  rooms: Rooms,
  { consumer, handler, request, limits }: Job,
  input: Uint8Array,
  sponsor: PeerId | undefined,
  module: LoadedModule,
): Specified {
  const tariff = rooms.tariff();
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
  const costOf = (outcome: Outcome): Cost => {
    const usage = usageOf(outcome, input.length, compiledBytes);
    return { usage, priceBytes: price(tariff.rates, usage) };
  };
  const receiptOf: Specified['receiptOf'] = ({ task, inputCid }, outcome, at) => {
    return {
      task,
      handler,
      input: inputCid,
      output: rawCidOf(outcome.outputDigest),
      ...costOf(outcome),
      tariff: tariff.cid,
      meterVersion: receiptMeterVersion(module),
      provider: tariff.provider,
      consumer: consumer.toString(),
      ...at,
      ...(sponsor === undefined ? {} : { sponsor: sponsor.toString() }),
      ...(outcome.error === undefined ? {} : { error: outcome.error.code }),
    };
  };
  return { spec, costOf, receiptOf };
}

export function serviceField({ service }: { service?: string | undefined }): { service?: string } {
  return service === undefined ? {} : { service };
}

/** The version of everything that fuel depends on: the metering rules and the prices of host calls. */
export function receiptMeterVersion(module: LoadedModule): string {
  return `${module.meterVersion}+abi.${abiVersion}`;
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

export function checkLimits(asked: TaskLimits, allowed: JobsLimits): void {
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
function isOurStop({ aborted, reason }: Cancellation): boolean {
  return aborted && reason instanceof WorkswapError && reason.fault === 'provider';
}

function numberField(error: unknown, name: string): number {
  const value = error instanceof WorkswapError ? (error as unknown as Record<string, unknown>)[name] : undefined;
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}
