import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { RAW_CODE, RemoteError, SHA2_256_CODE, decodeResponseHead, price } from '../protocol/index.ts';
import type { Failure, Reply } from '../protocol/pb/workswap.js';
import type { ExpectedCids, ResponseHead, SealedReceipt, Tariff, TaskLimits } from '../protocol/index.ts';
import { ProviderFaultError } from './errors.ts';
import { BodyQueue, collect } from './response.ts';
import type { Response } from './response.ts';

/** What the consumer knows of its own task; a receipt that says anything else is not for it. */
export interface Expected {
  task: CID;
  handler: CID;
  input: CID;
  inputBytes: number;
  provider: string;
  consumer: string;
  limits: TaskLimits;
  /** True for a job of a service: only those have a state, and somebody else who pays. */
  isAtState: boolean;
}

export interface CallHost {
  open(receipt: Uint8Array, expected: ExpectedCids): SealedReceipt;
  tariff(cid: CID): Promise<Tariff | undefined>;
  record(sealed: SealedReceipt): Promise<void>;
}

/** A failed job whose handler was at fault comes with a receipt: what it burnt is charged. */
export class JobError extends RemoteError {
  readonly receipt?: SealedReceipt;

  constructor(failure: Failure, receipt?: SealedReceipt) {
    super(failure);
    if (receipt !== undefined) this.receipt = receipt;
  }
}

/** One job under way: takes the provider's replies and turns them into a response that holds against its receipt. */
export class PendingCall {
  readonly response: Promise<Response>;
  readonly #expected: Expected;
  readonly #host: CallHost;
  readonly #body = new BodyQueue();
  readonly #hash: Hash = createHash('sha256');
  readonly #receipt = Promise.withResolvers<SealedReceipt>();
  readonly #resolve: (response: Response) => void;
  readonly #reject: (error: Error) => void;
  #received = 0;
  #answer: Response | undefined;

  constructor(expected: Expected, host: CallHost) {
    this.#expected = expected;
    this.#host = host;
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    this.response = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    // Whoever reads only the body learns of a failure there; the receipt's rejection must not end the process.
    this.#receipt.promise.catch(() => {});
    promise.catch(() => {});
  }

  /** Returns true when this was the last reply of the call. */
  onReply(reply: Reply): boolean {
    try {
      if (reply.head !== undefined) this.#onHead(reply.head);
      if (reply.body !== undefined) this.#onBody(reply.body);
    } catch (error) {
      this.fail(error as Error);
      return true;
    }
    if (reply.error !== undefined) void this.#onError(reply.error, reply.end?.receipt);
    else if (reply.end !== undefined) void this.#onEnd(reply.end.receipt, reply.end.credit);
    return reply.end !== undefined || reply.error !== undefined;
  }

  fail(error: Error): void {
    this.#reject(error);
    this.#receipt.reject(error);
    this.#body.end(error);
  }

  #count(bytes: Uint8Array): void {
    this.#received += bytes.length;
    if (this.#received > this.#expected.limits.outputBytesMax) {
      throw new ProviderFaultError(
        `The provider sent more than the ${this.#expected.limits.outputBytesMax} bytes of output that were allowed`,
      );
    }
    this.#hash.update(bytes);
  }

  #onHead(bytes: Uint8Array): void {
    if (this.#answer !== undefined) throw new ProviderFaultError('The provider sent a second response head');
    this.#count(bytes);
    const { status, headers } = decodeHead(bytes);
    const body = this.#body;
    this.#answer = {
      status,
      headers,
      receipt: this.#receipt.promise,
      bytes: () => collect(body),
      text: async () => new TextDecoder().decode(await collect(body)),
      [Symbol.asyncIterator]: () => body[Symbol.asyncIterator](),
    };
    this.#resolve(this.#answer);
  }

  #onBody(bytes: Uint8Array): void {
    if (this.#answer === undefined) throw new ProviderFaultError('The provider sent a body before the head');
    this.#count(bytes);
    this.#body.push(bytes);
  }

  async #onEnd(bytes: Uint8Array, credit: Response['credit']): Promise<void> {
    try {
      if (this.#answer === undefined) throw new ProviderFaultError('The provider ended the job without a response');
      const sealed = await this.#check(bytes);
      if (sealed.receipt.error !== undefined)
        throw new ProviderFaultError('The receipt of a finished job names an error');
      if (credit !== undefined) this.#answer.credit = credit;
      this.#receipt.resolve(sealed);
      this.#body.end();
    } catch (error) {
      this.fail(error as Error);
    }
  }

  async #onError(failure: Failure, receipt: Uint8Array | undefined): Promise<void> {
    try {
      const sealed = receipt === undefined ? undefined : await this.#check(receipt);
      this.fail(new JobError(failure, sealed));
    } catch (error) {
      this.fail(error as Error);
    }
  }

  async #check(bytes: Uint8Array): Promise<SealedReceipt> {
    const expected = this.#expected;
    const { task, handler, input } = expected;
    const output = CID.createV1(RAW_CODE, Digest.create(SHA2_256_CODE, this.#hash.digest()));
    let sealed: SealedReceipt;
    try {
      sealed = this.#host.open(bytes, { task, handler, input, output });
    } catch (error) {
      throw new ProviderFaultError('The receipt does not hold', error);
    }
    const { receipt } = sealed;
    const { usage } = receipt;
    const tariff = await this.#host.tariff(receipt.tariff);
    const differs: string[] = [];
    const same = (name: string, holds: boolean): void => {
      if (!holds) differs.push(name);
    };
    same('task', receipt.task.equals(expected.task));
    same('handler', receipt.handler.equals(expected.handler));
    same('input', receipt.input.equals(expected.input));
    same('output', receipt.output.equals(output));
    same('provider', receipt.provider === expected.provider);
    same('consumer', receipt.consumer === expected.consumer);
    same('state', (receipt.state !== undefined) === expected.isAtState);
    same('commit', receipt.commit === undefined || expected.isAtState);
    same('sponsor', receipt.sponsor === undefined || expected.isAtState);
    same('inputBytes', usage.inputBytes === expected.inputBytes);
    same('outputBytes', usage.outputBytes === this.#received);
    same('fuel', usage.fuel <= expected.limits.fuelMax);
    same('memoryPagesPeak', usage.memoryPagesPeak <= expected.limits.memoryPagesMax);
    same('tariff', tariff !== undefined);
    same('price', tariff !== undefined && receipt.priceBytes === price(tariff.rates, usage));
    same('priceMax', receipt.priceBytes <= expected.limits.priceMaxBytes);
    if (differs.length > 0) {
      throw new ProviderFaultError(
        `The receipt ${sealed.cid.toString()} does not match what was asked and received: ${differs.join(', ')}`,
      );
    }
    await this.#host.record(sealed);
    return sealed;
  }
}

function decodeHead(bytes: Uint8Array): ResponseHead {
  try {
    return decodeResponseHead(bytes);
  } catch (error) {
    throw new ProviderFaultError('The response head is malformed', error);
  }
}
