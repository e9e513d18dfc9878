import type { Connection, Libp2p, PeerId, PrivateKey, Stream } from '@libp2p/interface';

import { dagCborCid, WorkswapError } from '../../../sdk/protocol/index.ts';
import { PeerBuckets, readFrame, sendFrame, TokenBucket } from '../../net/index.ts';
import { reconcile, type Reconciliation } from '../reconcile.ts';
import { openStatement, sealStatement, stateAccount, type AccountStatement } from '../statement.ts';
import type { ScoreLedger } from '../types.ts';
import {
  ANSWER_BYTES_MAX,
  EXCHANGE_TIMEOUT_MS,
  LEDGER_PROTOCOL,
  QUESTION_BYTES_MAX,
  RATED_PEERS_MAX,
  RATES,
  STREAMS_MAX,
  STREAMS_PER_CONNECTION_MAX,
} from './constants.ts';
import { ReconcileError } from './errors.ts';
import { decodeAnswer, encodeAnswer, type Answer, type Refusal } from './wire.ts';

export interface ReconcilerComponents {
  libp2p: Pick<Libp2p, 'peerId' | 'handle' | 'unhandle' | 'dialProtocol'>;
  privateKey: PrivateKey;
  scoreLedger: ScoreLedger;
}

export interface ReconcilerInit {
  timeoutMs?: number;
  /** Milliseconds that only grow, for the rates. */
  nowMs?: () => number;
}

export interface Reconciled extends Reconciliation {
  ours: AccountStatement;
  theirs: AccountStatement;
  /** Their statement as they signed it: whoever is shown it can check who said so. */
  theirsSigned: Uint8Array;
}

/**
 * Two peers compare their books. The one who asks sends a signed statement of the account, the other answers with its
 * own, which names the question: an old answer cannot be sent again. Each side only ever learns what the other says
 * about the account that they share. docs/ledger.md has the messages.
 */
export class Reconciler {
  readonly #components: ReconcilerComponents;
  readonly #timeoutMs: number;
  readonly #nowMs: () => number;
  readonly #peers = new PeerBuckets(RATES.peer, RATED_PEERS_MAX);
  readonly #known: TokenBucket;
  readonly #strangers: TokenBucket;
  readonly #stop = new AbortController();
  #streams = 0;

  constructor(components: ReconcilerComponents, { timeoutMs = EXCHANGE_TIMEOUT_MS, nowMs }: ReconcilerInit = {}) {
    this.#components = components;
    this.#timeoutMs = timeoutMs;
    this.#nowMs = nowMs ?? (() => performance.now());
    this.#known = new TokenBucket(RATES.known, this.#nowMs());
    this.#strangers = new TokenBucket(RATES.strangers, this.#nowMs());
  }

  async start(): Promise<void> {
    await this.#components.libp2p.handle(
      LEDGER_PROTOCOL,
      (stream, connection) => void this.#serve(stream, connection),
      { maxInboundStreams: STREAMS_PER_CONNECTION_MAX },
    );
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('The node is stopping'));
    await this.#components.libp2p.unhandle(LEDGER_PROTOCOL);
  }

  /**
   * Compares our account of a connected peer with the peer's account of us. What is under way between the two counts on
   * one side before the other, so a difference that matters is one that stays.
   * @throws ReconcileError
   */
  async reconcile(peer: PeerId, { signal }: { signal?: AbortSignal } = {}): Promise<Reconciled> {
    const { libp2p, privateKey, scoreLedger } = this.#components;
    const deadline = AbortSignal.timeout(this.#timeoutMs);
    const both = AbortSignal.any([deadline, this.#stop.signal, ...(signal === undefined ? [] : [signal])]);
    let stream: Stream | undefined;
    let bytes: Uint8Array;
    const ours = stateAccount(scoreLedger, libp2p.peerId, peer, Date.now());
    const question = await sealStatement(ours, privateKey);
    try {
      stream = await libp2p.dialProtocol(peer, LEDGER_PROTOCOL, { signal: both });
      const answer = readFrame(stream, ANSWER_BYTES_MAX, both);
      // Should sending fail, nobody waits for it any more.
      answer.catch(() => {});
      sendFrame(stream, question);
      bytes = await answer;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof WorkswapError) throw misbehaved(peer, error);
      const why = deadline.aborted ? `nothing within ${this.#timeoutMs} ms` : (error as Error).message;
      throw new ReconcileError('RECONCILE_UNANSWERED', `${peer.toString()} does not tell its side: ${why}.`, {
        cause: error,
      });
    } finally {
      stream?.abort(new Error('The exchange is over'));
    }
    const theirsSigned = statementIn(bytes, peer);
    const theirs = await this.#open(theirsSigned, peer).catch((error: unknown) => {
      throw misbehaved(peer, error);
    });
    if (theirs.answers?.equals(dagCborCid(question)) !== true) {
      throw misbehaved(peer, new Error('the statement was made for another question'));
    }
    return { ...reconcile(ours, theirs), ours, theirs, theirsSigned };
  }

  async #serve(stream: Stream, connection: Connection): Promise<void> {
    const signal = AbortSignal.any([AbortSignal.timeout(this.#timeoutMs), this.#stop.signal]);
    if (this.#streams >= STREAMS_MAX) {
      stream.abort(new Error('Too many exchanges are under way'));
      return;
    }
    this.#streams++;
    try {
      const question = await readFrame(stream, QUESTION_BYTES_MAX, signal);
      sendFrame(stream, encodeAnswer(await this.#answer(question, connection.remotePeer)));
      await stream.close({ signal });
    } catch {
      // Whoever asks like this gets no answer; there is nothing to take back.
    } finally {
      stream.abort(new Error('The exchange is over'));
      this.#streams--;
    }
  }

  async #answer(question: Uint8Array, peer: PeerId): Promise<Answer> {
    const { libp2p, privateKey, scoreLedger } = this.#components;
    const refusal = this.#tooOften(peer);
    if (refusal !== undefined) return { refusal };
    try {
      await this.#open(question, peer);
    } catch (error) {
      return { refusal: { code: 'BAD_STATEMENT', message: (error as Error).message } };
    }
    const ours = stateAccount(scoreLedger, libp2p.peerId, peer, Date.now());
    return { statement: await sealStatement({ ...ours, answers: dagCborCid(question) }, privateKey) };
  }

  /** A statement of this very peer about us. */
  async #open(bytes: Uint8Array, peer: PeerId): Promise<AccountStatement> {
    const statement = await openStatement(bytes);
    if (statement.issuer !== peer.toString()) throw new Error(`the statement is ${statement.issuer}'s`);
    const us = this.#components.libp2p.peerId.toString();
    if (statement.subject !== us) throw new Error(`the statement is about ${statement.subject}`);
    return statement;
  }

  #tooOften(peer: PeerId): Refusal | undefined {
    const nowMs = this.#nowMs();
    const isKnown = this.#components.scoreLedger.getReceipt(peer) !== undefined;
    const buckets = [this.#peers.of(peer.toString(), nowMs), isKnown ? this.#known : this.#strangers];
    const retryMs = Math.max(...buckets.map((bucket) => bucket.waitMs(nowMs)));
    if (retryMs > 0) return { code: 'TOO_OFTEN', message: 'Ask again later', retryMs };
    for (const bucket of buckets) bucket.take();
    return undefined;
  }
}

function statementIn(bytes: Uint8Array, peer: PeerId): Uint8Array {
  let answer: Answer;
  try {
    answer = decodeAnswer(bytes);
  } catch (error) {
    throw misbehaved(peer, error);
  }
  if ('statement' in answer) return answer.statement;
  const { code, message, retryMs } = answer.refusal;
  const again = retryMs === undefined ? '' : ` Ask again in ${retryMs} ms.`;
  throw new ReconcileError('RECONCILE_REFUSED', `${peer.toString()} refuses: ${code}: ${message}.${again}`, {
    reason: code,
    retryMs,
  });
}

function misbehaved(peer: PeerId, cause: unknown): ReconcileError {
  const message = `What ${peer.toString()} answers does not hold: ${(cause as Error).message}`;
  return new ReconcileError('RECONCILE_INVALID', message, { cause });
}
