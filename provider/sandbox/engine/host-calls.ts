import { assertCid } from '../abi/cid.ts';
import { IMPORT_MODULE } from '../abi/signatures.ts';
import type { CallName } from '../abi/prices.ts';
import { JobEnd } from '../errors.ts';
import { ABI_LIMITS } from '../abi/limits.ts';
import type { JobContext } from './job-context.ts';

type HostCalls = Record<CallName, (...args: never[]) => number | bigint | void>;

/**
 * The host ABI over a context. Every call first burns its price, then checks every range, then works: what a handler
 * can make the host do is paid for, and nothing it passes is believed. Null prototypes, so that no name but these resolves.
 */
export function createImports(context: JobContext): WebAssembly.Imports {
  const calls: HostCalls = {
    input_size(): number {
      context.charge('input_size', 0);
      return context.job.input.length;
    },

    input_read(target: number, offset: number, length: number): number {
      const { input } = context.job;
      const start = Math.min(offset >>> 0, input.length);
      const part = input.subarray(start, start + (length >>> 0));
      context.charge('input_read', part.length);
      context.bytes('input_read', target, length).set(part);
      return part.length;
    },

    output_write(pointer: number, length: number): void {
      context.charge('output_write', length >>> 0);
      const chunk = context.bytes('output_write', pointer, length);
      context.output.assertRoom(chunk.length);
      context.spend(context.output.size + chunk.length, context.readBytes);
      context.output.write(chunk);
    },

    block_read(cidPointer: number, cidLength: number, offset: bigint, target: number, length: number): number {
      context.charge('block_read', 0);
      const cid = takeCid(context, 'block_read', cidPointer, cidLength);
      const size = length >>> 0;
      if (size > ABI_LIMITS.readBytesMax || offset < 0n) {
        throw new JobEnd(
          'INVALID_POINTER',
          `The handler asked block_read for ${size} bytes at ${offset}; at most ${ABI_LIMITS.readBytesMax} from 0 on.`,
        );
      }
      context.bytes('block_read', target, size);
      if (size === 0) return 0;
      const start = offset > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(offset);
      const part = context.host.readFile(cid, start, size);
      if (part.length > size) throw new Error(`readFile answered ${part.length} bytes instead of ${size}`);
      context.chargeBytes('block_read', part.length);
      context.spend(context.output.size, context.readBytes + part.length);
      context.readBytes += part.length;
      context.bytes('block_read', target, size).set(part);
      return part.length;
    },

    block_size(cidPointer: number, cidLength: number): bigint {
      context.charge('block_size', 0);
      return BigInt(context.host.fileSize(takeCid(context, 'block_size', cidPointer, cidLength)));
    },

    log(level: number, pointer: number, length: number): void {
      context.charge('log', length >>> 0);
      context.log(level, context.bytes('log', pointer, length));
    },

    fail(pointer: number, length: number): void {
      context.charge('fail', length >>> 0);
      const message = context.bytes('fail', pointer, length).subarray(0, ABI_LIMITS.failBytesMax);
      throw new JobEnd('HANDLER_FAILED', context.text(message));
    },

    time_ms(): bigint {
      context.charge('time_ms', 0);
      return BigInt(context.job.timeMs);
    },

    random(target: number, length: number): void {
      context.charge('random', length >>> 0);
      context.random.fill(context.bytes('random', target, length));
    },

    sha256(pointer: number, length: number, target: number): void {
      context.charge('sha256', length >>> 0);
      const digest = context.host.sha256(context.bytes('sha256', pointer, length));
      context.bytes('sha256', target, 32).set(digest);
    },

    ed25519_verify(keyPointer: number, pointer: number, length: number, signaturePointer: number): number {
      context.charge('ed25519_verify', length >>> 0);
      if (length >>> 0 > ABI_LIMITS.verifyBytesMax) {
        throw new JobEnd(
          'INVALID_POINTER',
          `The handler passed ${length >>> 0} bytes to ed25519_verify; at most ${ABI_LIMITS.verifyBytesMax}. Sign a digest.`,
        );
      }
      const key = context.bytes('ed25519_verify', keyPointer, 32);
      const message = context.bytes('ed25519_verify', pointer, length);
      const signature = context.bytes('ed25519_verify', signaturePointer, 64);
      return context.host.ed25519Verify(key, message, signature) ? 1 : 0;
    },
  };
  const imports: Record<string, WebAssembly.ModuleImports> = Object.create(null);
  imports[IMPORT_MODULE] = Object.assign(Object.create(null), calls);
  return imports;
}

/** A copy, since the host keeps it while the handler's memory may be given to another job. */
function takeCid(context: JobContext, call: CallName, pointer: number, length: number): Uint8Array {
  if (length >>> 0 > ABI_LIMITS.cidBytesMax) {
    throw new JobEnd(
      'INVALID_CID',
      `The handler passed ${length >>> 0} bytes as a CID; at most ${ABI_LIMITS.cidBytesMax}.`,
    );
  }
  const cid = context.bytes(call, pointer, length).slice();
  assertCid(cid);
  return cid;
}
