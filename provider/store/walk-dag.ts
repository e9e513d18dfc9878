import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { WorkswapError } from '../../sdk/protocol/index.ts';
import { DigestSet } from './digest-set.ts';

/** More than three million links. */
const PENDING_BYTES_MAX = 128 * 1024 * 1024;
const PENDING_BYTES_MIN = 64 * 1024;

/** A DAG that cannot be walked with bounded memory: nodes with very many links, very deeply nested. */
export class DagTooWideError extends WorkswapError {
  constructor() {
    super('DAG_TOO_WIDE', 'The DAG has too many links beside each other to be walked: more than a million wait', {
      fault: 'consumer',
    });
  }
}

export interface WalkInit {
  /** Called once for each block that is not in `seen`. Gives the links to follow; none for a block that has none. */
  visit(cid: CID): Promise<Iterable<CID>>;
  /** Called for every link, however often it comes; false: it needs no visit, and is not remembered. */
  enter?(cid: CID): boolean;
  /** Visits under way at once; asked again all the time. */
  parallel: () => number;
  signal?: AbortSignal;
  /** Links that may wait, in bytes. Beyond half of it nodes are visited one after the other, which needs the least. */
  pendingBytesMax?: number;
  /** Blocks that need not be visited. */
  seen?: DigestSet;
}

/**
 * Visits every block below the roots, depth first, each once, however often it is linked to. What waits and what was
 * seen is kept in compact form: a walk over a million blocks takes some tens of MiB.
 * @throws what a visit throws, the signal's reason, DagTooWideError
 */
export async function walkDag(roots: Iterable<CID>, init: WalkInit): Promise<void> {
  const { visit, enter, parallel, signal, pendingBytesMax = PENDING_BYTES_MAX } = init;
  const seen = init.seen ?? new DigestSet();
  const pending = new PendingCids();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let running = 0;
  let isOver = false;

  function end(error?: unknown): void {
    isOver = true;
    signal?.removeEventListener('abort', onAbort);
    if (error === undefined) resolve();
    else reject(error as Error);
  }
  function onAbort(): void {
    end(signal!.reason);
  }
  function add(links: Iterable<CID>): void {
    // The first link is visited first.
    for (const cid of [...links].reverse()) {
      // The same bytes may have links in one codec and none in another.
      if (enter?.(cid) !== false && seen.add(cid.multihash, cid.code)) pending.push(cid);
    }
    if (pending.bytes > pendingBytesMax) throw new DagTooWideError();
  }
  async function run(cid: CID): Promise<void> {
    try {
      const links = await visit(cid);
      running--;
      if (isOver) return;
      add(links);
      pump();
    } catch (error) {
      if (!isOver) end(error);
    }
  }
  function pump(): void {
    while (!isOver && running < parallel() && !pending.isEmpty) {
      if (running > 0 && pending.bytes > pendingBytesMax / 2 && pending.top().code !== raw.code) break;
      running++;
      void run(pending.pop());
    }
    if (!isOver && running === 0 && pending.isEmpty) end();
  }

  signal?.throwIfAborted();
  signal?.addEventListener('abort', onAbort);
  try {
    add(roots);
    pump();
  } catch (error) {
    end(error);
  }
  return promise;
}

/** A stack of CIDs as bytes. */
class PendingCids {
  #buffer = Buffer.allocUnsafeSlow(PENDING_BYTES_MIN);
  bytes = 0;

  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  push({ bytes }: CID): void {
    const end = this.bytes + bytes.length + 4;
    if (end > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(end, this.#buffer.length * 2));
      larger.set(this.#buffer.subarray(0, this.bytes));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.bytes);
    this.#buffer.writeUInt32LE(bytes.length, end - 4);
    this.bytes = end;
  }

  top(): CID {
    const end = this.bytes - 4;
    return CID.decode(this.#buffer.slice(end - this.#buffer.readUInt32LE(end), end));
  }

  pop(): CID {
    const end = this.bytes - 4;
    const start = end - this.#buffer.readUInt32LE(end);
    // A copy: what lies here is overwritten by what comes next.
    const cid = CID.decode(Uint8Array.prototype.slice.call(this.#buffer, start, end));
    this.bytes = start;
    return cid;
  }
}
