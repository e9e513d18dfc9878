import { createHash } from 'node:crypto';
import type { CID } from 'multiformats/cid';
import type { CallRequest } from '../../sdk/client/index.ts';
import { deliveryRequest, FOLLOW_UPS_MAX, SERVICE_MESSAGE_ID_BYTES } from '../../sdk/protocol/index.ts';
import type { TaskLimits } from '../../sdk/protocol/index.ts';
import { NOBODY, type HandlerRunner, type MemoryState } from '../workbench/index.ts';
import { toCallRequest } from './test-request.ts';
import type { TestBody, TestMessage, TestRequest } from './test-request.ts';
import { TestResponse } from './test-response.ts';
import { TestState } from './test-state.ts';

/** What all views of one site share. */
export interface TestScene {
  runner: HandlerRunner;
  handler: CID;
  state: MemoryState;
  limits: Partial<TaskLimits>;
  /** Requests so far: each has a seed of its own, the same in every run of the test. */
  requestCount: number;
  /** Ends when all requests so far are done: updates run one at a time. */
  turn: Promise<unknown>;
  close(): Promise<void>;
}

interface Visitor {
  caller: string;
  timeMs: number;
  seed?: Uint8Array;
}

/** A handler with its state, ready to be asked. */
export class TestSite {
  readonly state: TestState;
  readonly #scene: TestScene;
  readonly #visitor: Visitor;

  constructor(scene: TestScene, visitor: Visitor) {
    this.#scene = scene;
    this.#visitor = visitor;
    this.state = new TestState(scene.state);
  }

  /** The same site as `caller` sees it. */
  as(caller: string): TestSite {
    return new TestSite(this.#scene, { ...this.#visitor, caller });
  }

  /** The same site at this time, milliseconds since 1970. */
  at(timeMs: number): TestSite {
    return new TestSite(this.#scene, { ...this.#visitor, timeMs });
  }

  /** The same site with this randomness, 32 bytes, for every request. */
  seed(seed: Uint8Array): TestSite {
    return new TestSite(this.#scene, { ...this.#visitor, seed });
  }

  /** `path` may have a query: `/search?q=word`. */
  get(path: string, request: TestRequest = {}): Promise<TestResponse> {
    return this.request('GET', path, request);
  }

  /** An object is sent as a form. */
  post(path: string, body?: TestBody, request: TestRequest = {}): Promise<TestResponse> {
    return this.request('POST', path, body === undefined ? request : { ...request, body });
  }

  /** Any method. An update that succeeds changes the state; one that fails, and every GET or HEAD, leaves it as it was. */
  request(method: string, path: string, request: TestRequest = {}): Promise<TestResponse> {
    return this.#run(toCallRequest(method, path, request));
  }

  /** A message to the handler's `deliver`: an update. What it answers with is no error when the message was taken. */
  deliver(body: string | Uint8Array, message: TestMessage = {}): Promise<TestResponse> {
    const { from = NOBODY, timeMs = this.#visitor.timeMs, followUps = FOLLOW_UPS_MAX } = message;
    const id = seedOf(this.#scene.requestCount).subarray(0, SERVICE_MESSAGE_ID_BYTES);
    return this.#run(deliveryRequest({ id, from, timeMs, followUps, body: Buffer.from(body) }));
  }

  #run(request: CallRequest): Promise<TestResponse> {
    const scene = this.#scene;
    const { caller, timeMs, seed = seedOf(scene.requestCount) } = this.#visitor;
    scene.requestCount += 1;
    const call = { ...request, timeMs, seed };
    const result = scene.turn.then(async () => {
      const { runner, handler, state, limits } = scene;
      return new TestResponse(await runner.run(handler, { request: call, caller, state, limits }));
    });
    scene.turn = result.catch(() => undefined);
    return result;
  }

  /** Ends the sandbox. Call it when the tests are done: `afterAll(() => site.close())`. */
  close(): Promise<void> {
    return this.#scene.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function seedOf(index: number): Uint8Array {
  return createHash('sha256').update(`request ${index}`).digest();
}
