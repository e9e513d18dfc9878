import { CID } from 'multiformats/cid';
import { CborWriter, key } from './cbor.ts';
import { dagCborCid } from './cids.ts';
import { isServiceName } from './service-name.ts';
import { DocumentError, decodeMap, isCount, isMap } from './signed.ts';

/** The most a job may use. Fuel and time end it; the others are also what its reservation is computed from. */
export interface TaskLimits {
  fuelMax: number;
  memoryPagesMax: number;
  outputBytesMax: number;
  /** Wall-clock time from the start of the run. Not part of what is computed, so not part of the task's CID. */
  timeoutMs: number;
  /** The most the consumer pays, in bytes. */
  priceMaxBytes: number;
}

/**
 * The identity of what is computed. Two jobs with the same task must have the same output, fuel and peak memory: the
 * limits are part of it, since they decide where a run that exceeds them ends.
 */
export interface Task {
  handler: CID;
  input: CID;
  limits: Omit<TaskLimits, 'timeoutMs'>;
  /** IPNS name of the service whose state the handler works on. */
  service?: string;
}

const INPUT = key('input');
const LIMITS = key('limits');
const FUEL = key('fuelMax');
const PRICE = key('priceMaxBytes');
const MEMORY = key('memoryPagesMax');
const OUTPUT = key('outputBytesMax');
const HANDLER = key('handler');
const SERVICE = key('service');
const VERSION = key('version');

/** The task's DAG-CBOR block `{version, handler, input, limits, service?}`. */
export function encodeTask({ handler, input, limits, service }: Task): Uint8Array {
  const writer = new CborWriter()
    .map(service === undefined ? 4 : 5)
    .raw(INPUT)
    .cid(input)
    .raw(LIMITS)
    .map(4);
  writer.raw(FUEL).uint(limits.fuelMax).raw(PRICE).uint(limits.priceMaxBytes);
  writer.raw(MEMORY).uint(limits.memoryPagesMax).raw(OUTPUT).uint(limits.outputBytesMax);
  writer.raw(HANDLER).cid(handler);
  if (service !== undefined) writer.raw(SERVICE).text(service);
  return writer.raw(VERSION).uint(1).finish();
}

export function taskCid(task: Task): CID {
  return dagCborCid(encodeTask(task));
}

/** @throws DocumentError when the block is not a task */
export function decodeTask(bytes: Uint8Array): Task {
  const value = decodeMap('task', bytes);
  const handler = CID.asCID(value['handler']);
  const input = CID.asCID(value['input']);
  const { limits, service } = value;
  if (value['version'] !== 1 || handler === null || input === null || !isMap(limits)) {
    throw new DocumentError('task', 'a field is missing or of the wrong kind');
  }
  const { fuelMax, memoryPagesMax, outputBytesMax, priceMaxBytes } = limits;
  if (!isCount(fuelMax) || !isCount(memoryPagesMax) || !isCount(outputBytesMax) || !isCount(priceMaxBytes)) {
    throw new DocumentError('task', 'a limit is not a count');
  }
  if (service !== undefined && (typeof service !== 'string' || !isServiceName(service))) {
    throw new DocumentError('task', 'service is not the name of a service');
  }
  const task: Task = { handler, input, limits: { fuelMax, memoryPagesMax, outputBytesMax, priceMaxBytes } };
  return service === undefined ? task : { ...task, service };
}
