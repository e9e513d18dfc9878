import { assertCid } from '../abi/cid.ts';
import { decodeName, decodePath } from '../abi/state-path.ts';
import { IMPORT_MODULE } from '../abi/signatures.ts';
import { listFuel, type CallName } from '../abi/prices.ts';
import { JobEnd } from '../errors.ts';
import { ABI_LIMITS } from '../abi/limits.ts';
import { RECIPIENT_BYTES_MAX } from '../../../sdk/protocol/recipient.ts';
import type { JobContext } from './job-context.ts';
import { ENTRY_BYTES_MIN, writeEntry } from './state-entries.ts';

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
      context.spend({ output: chunk.length });
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
      context.spend({ read: part.length });
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

    state_stat(pointer: number, length: number): bigint {
      context.charge('state_stat', 0);
      const found = context.state.stat(takePath(context, 'state_stat', pointer, length, true));
      if (found === undefined) return -1n;
      return found.kind === 'directory' ? -2n : BigInt(found.size);
    },

    state_read(pointer: number, length: number, offset: bigint, target: number, size: number): number {
      context.charge('state_read', 0);
      const path = takePath(context, 'state_read', pointer, length, false);
      const wanted = Math.min(size >>> 0, ABI_LIMITS.fileBytesMax);
      context.bytes('state_read', target, size);
      if (offset < 0n) {
        throw new JobEnd('INVALID_POINTER', `The handler asked state_read for bytes at ${offset}; files begin at 0.`);
      }
      const start = offset > BigInt(ABI_LIMITS.fileBytesMax) ? ABI_LIMITS.fileBytesMax : Number(offset);
      const part = context.state.read(path, start, wanted);
      if (part === undefined) return -1;
      context.chargeBytes('state_read', part.length);
      context.bytes('state_read', target, size).set(part);
      return part.length;
    },

    state_write(pointer: number, length: number, source: number, size: number): void {
      context.charge('state_write', size >>> 0);
      const path = takePath(context, 'state_write', pointer, length, false);
      const content = context.bytes('state_write', source, size);
      const written = (length >>> 0) + content.length;
      context.state.assertWritable(written);
      context.spend({ written });
      context.state.write(path, content.slice(), written);
    },

    state_remove(pointer: number, length: number): number {
      context.charge('state_remove', length >>> 0);
      const path = takePath(context, 'state_remove', pointer, length, false);
      const written = length >>> 0;
      context.state.assertWritable(written);
      context.spend({ written });
      return context.state.remove(path, written) ? 1 : 0;
    },

    send(toPointer: number, toLength: number, pointer: number, length: number): void {
      context.charge('send', length >>> 0);
      // What is longer than any recipient is refused for what it is, and not copied.
      const size = Math.min(toLength >>> 0, RECIPIENT_BYTES_MAX + 1);
      const to = context.text(context.bytes('send', toPointer, size));
      const body = context.bytes('send', pointer, length);
      const priced = context.sent.check(to, body.length);
      context.spend({ written: priced });
      context.sent.add(to, body.slice(), priced);
    },

    state_list(
      pointer: number,
      length: number,
      afterPointer: number,
      afterLength: number,
      target: number,
      size: number,
    ): number {
      context.charge('state_list', 0);
      const path = takePath(context, 'state_list', pointer, length, true);
      const after = decodeName(context.bytes('state_list', afterPointer, bounded(afterLength)));
      const room = context.bytes('state_list', target, size);
      if (room.length < ABI_LIMITS.listBytesMin) {
        throw new JobEnd(
          'INVALID_POINTER',
          `The handler gave state_list ${room.length} bytes; any entry fits into ${ABI_LIMITS.listBytesMin}.`,
        );
      }
      let written = 0;
      const listed = context.state.list(path, after, (entry) => {
        if (room.length - written < ENTRY_BYTES_MIN) return false;
        const bytes = writeEntry(room.subarray(written), entry);
        written += bytes;
        if (bytes > 0) context.chargeBytes('state_list', bytes);
        return bytes > 0;
      });
      if (listed === undefined) return -1;
      context.burn(listFuel(listed));
      return written;
    },
  };
  const imports: Record<string, WebAssembly.ModuleImports> = Object.create(null);
  imports[IMPORT_MODULE] = Object.assign(Object.create(null), calls);
  return imports;
}

/** Not more is looked at than a path may have: what is longer is refused for its length. */
function bounded(length: number): number {
  return Math.min(length >>> 0, ABI_LIMITS.pathBytesMax + 1);
}

function takePath(context: JobContext, call: CallName, pointer: number, length: number, rootAllowed: boolean): string {
  return decodePath(context.bytes(call, pointer, bounded(length)), rootAllowed);
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
