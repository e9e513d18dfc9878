import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { CID } from 'multiformats/cid';
import type { BlockSet } from './content.ts';

/** A UnixFS file of random bytes; version 0 has dag-pb leaves, version 1 raw ones. */
export interface FileShape {
  seed: number;
  size: number;
  chunk: number;
  version: 0 | 1;
}

export interface Fetched {
  bytes: number;
  ms: number;
  /** base64, of a file's content. */
  sha256?: string;
}

export interface Tally {
  wantBlocks: number;
  wantHaves: number;
  cancels: number;
  haves: number;
  dontHaves: number;
  blocks: number;
  bytes: number;
}

interface Running {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

/** A Bitswap peer in a process of its own, spoken to in lines of JSON; `boxo-peer/` and `ipfs-bitswap/` say how. */
export class BlockPeer {
  readonly peerId: string;
  readonly addr: string;
  readonly #child: ChildProcess;
  readonly #running = new Map<number, Running>();
  #lastId = 0;

  private constructor(child: ChildProcess, ready: { peerId: string; addrs: string[] }) {
    this.#child = child;
    this.peerId = ready.peerId;
    this.addr = ready.addrs[0] as string;
  }

  static start(program: string, args: string[] = []): Promise<BlockPeer> {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const { promise, resolve, reject } = Promise.withResolvers<BlockPeer>();
    let peer: BlockPeer | undefined;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (peer === undefined) resolve((peer = new BlockPeer(child, JSON.parse(line))));
      else peer.#answer(JSON.parse(line));
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      const error = new Error(`${program} ended (${code})`);
      reject(error);
      if (peer !== undefined) for (const running of peer.#running.values()) running.reject(error);
    });
    return promise;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  async connect(addr: string): Promise<void> {
    await this.#call({ name: 'connect', addr });
  }

  async disconnect(peer: string): Promise<void> {
    await this.#call({ name: 'disconnect', peer });
  }

  /** Stores a block and serves whoever waits for it. */
  async put(cid: CID, data: Uint8Array): Promise<void> {
    await this.#call({ name: 'put', cid: cid.toString(), data: Buffer.from(data).toString('base64') });
  }

  async get(cid: CID, signal?: AbortSignal): Promise<Uint8Array> {
    const answer = this.#call({ name: 'get', cid: cid.toString() });
    const of = this.#lastId;
    signal?.addEventListener('abort', () => void this.#call({ name: 'abort', of }));
    return Buffer.from((await answer) as string, 'base64');
  }

  async make(set: BlockSet): Promise<void> {
    await this.#call({ name: 'make', set });
  }

  /** Forgets the blocks of the set. */
  async drop(set: BlockSet): Promise<void> {
    await this.#call({ name: 'drop', set });
  }

  /** Fetches all blocks of the set in one session and compares their bytes. */
  fetch(set: BlockSet): Promise<Fetched> {
    return this.#call({ name: 'fetch', set }) as Promise<Fetched>;
  }

  addFile(file: FileShape): Promise<string> {
    return this.#call({ name: 'addFile', file }) as Promise<string>;
  }

  fetchFile(cid: CID): Promise<Fetched> {
    return this.#call({ name: 'fetchFile', cid: cid.toString() }) as Promise<Fetched>;
  }

  receipt(peer: string): Promise<{ sent: number; recv: number; value: number; exchanged: number }> {
    return this.#call({ name: 'receipt', peer }) as ReturnType<BlockPeer['receipt']>;
  }

  /** What a peer wants from this one, as it has noted it. */
  wantlist(peer: string): Promise<string[]> {
    return this.#call({ name: 'wantlist', peer }) as Promise<string[]>;
  }

  /** What the messages so far have said, and in which protocols (ipfs-bitswap only). */
  seen(): Promise<{ received: Tally; sent: Tally; protocols?: string[] }> {
    return this.#call({ name: 'seen' }) as ReturnType<BlockPeer['seen']>;
  }

  /** Starts boxo's HTTP gateway over the blocks of the peer; returns its port (boxo only). */
  gateway(): Promise<number> {
    return this.#call({ name: 'gateway' }) as Promise<number>;
  }

  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#child.exitCode !== null) return;
    this.#child.on('exit', () => resolve());
    this.#child.stdin?.end();
    await promise;
  }

  #call(command: Record<string, unknown>): Promise<unknown> {
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#running.set(id, { resolve, reject });
    this.#child.stdin?.write(`${JSON.stringify({ id, ...command })}\n`);
    return promise;
  }

  #answer({ id, error, value }: { id: number; error?: string; value?: unknown }): void {
    const running = this.#running.get(id);
    this.#running.delete(id);
    if (error === undefined) running?.resolve(value);
    else running?.reject(new Error(error));
  }
}
