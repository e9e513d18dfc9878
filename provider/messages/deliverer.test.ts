import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { expect, it, onTestFinished, vi } from 'vitest';
import { messagesOf, serviceName, WorkswapError, type ServiceMessage } from '../../sdk/protocol/index.ts';
import { testStates, testTask } from '../services/state/testing.ts';
import { Deliverer, type Deliver } from './deliverer.ts';
import { deliveryLimits, type DeliveryLimits } from './limits.ts';

/** The names of keys that nobody has. */
const SERVICE = 'k51qzi5uqu5djrv46h7lvpwf1l5p3qb1qflmn3vrvw5bv2g5ytnej5p5grhxuo';
const ADA = '12D3KooW9pNAk8aiBuGVQtWRdbkLmo5qVL3e2h5UxbN2Nz9ttwiw';
const BOB = '12D3KooWKWnPDmm7xNydzDMMMGLtge7kYmdxJS1PXNN4eqE1hGCf';
const FAST: DeliveryLimits = { ...deliveryLimits(), retryMsMin: 1, retryMsMax: 2 };

/** A service with its outbox, and a deliverer whose way to recipients is the test's. */
async function scene(deliver: Deliver, limits: Partial<DeliveryLimits> = {}) {
  const opened = await testStates();
  const errors: unknown[] = [];
  const deliverer = new Deliverer({
    outbox: opened.states.outbox,
    deliver,
    limits: { ...FAST, ...limits },
    onError: (error) => errors.push(error),
  });
  onTestFinished(async () => {
    await deliverer.stop();
    await opened.close();
  });
  let tasks = 0;
  const send = async (recipients: string[], timeMs = Date.now(), service = SERVICE) => {
    const state = await opened.states.open(service);
    const task = testTask(tasks++);
    const outgoing = recipients.map((to, i) => ({ to, body: Buffer.from(`${tasks} ${i}`) }));
    return state.update(task, async () => ({
      messages: messagesOf(task, { service, timeMs, followUps: undefined }, outgoing),
    }));
  };
  const idle = () => vi.waitFor(() => expect(deliverer.figures(SERVICE)).toMatchObject({ waiting: 0, holdups: [] }));
  return { deliverer, send, idle, errors };
}

const newKey = () => generateKeyPair('Ed25519');
const newPeer = async (): Promise<string> => peerIdFromPrivateKey(await newKey()).toString();
const newService = async (): Promise<string> => serviceName((await newKey()).publicKey);
const textOf = ({ body }: ServiceMessage): string => Buffer.from(body).toString();
const busy = (): WorkswapError => new WorkswapError('MAILBOX_FULL', 'full', { fault: 'consumer', retryable: true });

it('what fails is tried again until it is taken, in order; another recipient does not wait for it', async () => {
  const taken: string[] = [];
  let failures = 0;
  const { deliverer, send, idle } = await scene(async (message) => {
    if (message.to === ADA && failures++ < 5) throw busy();
    taken.push(textOf(message));
  });
  deliverer.start();
  await send([ADA, ADA, BOB]);
  await send([BOB, ADA]);
  await idle();
  expect(taken.filter((text) => ['1 0', '1 1', '2 1'].includes(text))).toEqual(['1 0', '1 1', '2 1']);
  expect(taken.filter((text) => ['1 2', '2 0'].includes(text))).toEqual(['1 2', '2 0']);
  expect(failures).toBe(8);
});

it('what waits is told with its reason, what is refused for good makes room for the next', async () => {
  let code = 'MAILBOX_FULL';
  const { deliverer, send, idle } = await scene(async (message) => {
    if (textOf(message) === '1 0') throw new WorkswapError(code, 'no room', { fault: 'consumer' });
  });
  deliverer.start();
  await send([ADA, ADA]);
  await vi.waitFor(() => {
    expect(deliverer.figures(SERVICE)).toMatchObject({ waiting: 2, holdups: [{ to: ADA, code, reason: 'no room' }] });
  });
  code = 'SENDER_REFUSED';
  await idle();
  expect(deliverer.figures(SERVICE)).toMatchObject({ ended: [{ to: ADA, code: 'SENDER_REFUSED', reason: 'no room' }] });
});

it('a message of more than a week ago has expired, and is not tried again', async () => {
  const tried: string[] = [];
  const { deliverer, send, idle } = await scene(async (message) => void tried.push(textOf(message)));
  await send([ADA], Date.now() - 7 * 24 * 3_600_000 - 1);
  await send([ADA]);
  deliverer.start();
  await idle();
  expect(tried).toEqual(['2 0']);
  expect(deliverer.figures(SERVICE)).toMatchObject({ ended: [{ code: 'MESSAGE_EXPIRED' }] });
});

it('recipients are served at once, as many as the limit says', async () => {
  let underWay = 0;
  let most = 0;
  const gate = Promise.withResolvers<void>();
  const { deliverer, send, idle } = await scene(
    async () => {
      most = Math.max(most, ++underWay);
      if (most === 2) gate.resolve();
      await gate.promise;
      underWay -= 1;
    },
    { underWayMax: 2 },
  );
  deliverer.start();
  await send([ADA, BOB, SERVICE, ADA, BOB]);
  await idle();
  expect(most).toBe(2);
});

it('a service whose recipients do not answer keeps no other service waiting', async () => {
  const gates: PromiseWithResolvers<void>[] = [];
  const tried: string[] = [];
  const { deliverer, send } = await scene(
    async ({ from }, { signal }) => {
      tried.push(from);
      if (from !== SERVICE) return;
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      signal.addEventListener('abort', () => gate.reject(signal.reason as Error));
      await gate.promise;
    },
    { underWayMax: 2 },
  );
  const other = await newService();
  deliverer.start();
  await send(await Promise.all([1, 2, 3, 4, 5, 6].map(newPeer)));
  await vi.waitFor(() => expect(gates).toHaveLength(2));
  await send([ADA, BOB], Date.now(), other);
  gates[0]!.resolve();
  await vi.waitFor(() => expect(tried).toHaveLength(5));
  expect(tried).toEqual([SERVICE, SERVICE, other, other, SERVICE]);
});

it('a recipient that takes the time of a whole attempt for each message gives others their turn after one', async () => {
  const taken: string[] = [];
  const { deliverer, send, idle } = await scene(async (message) => void taken.push(textOf(message)), {
    underWayMax: 1,
    attemptMs: 0,
  });
  await send([ADA, ADA, ADA, BOB]);
  deliverer.start();
  await idle();
  expect(taken.indexOf('1 3')).toBeLessThan(2);
  expect(taken.filter((text) => text !== '1 3')).toEqual(['1 0', '1 1', '1 2']);
});

it('a stop cuts off what is under way, which is done again after the next start', async () => {
  const tried = Promise.withResolvers<void>();
  const { deliverer, send } = await scene(async (_message, { signal }) => {
    tried.resolve();
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  });
  deliverer.start();
  await send([ADA]);
  await tried.promise;
  await deliverer.stop();
  expect(deliverer.figures(SERVICE)).toMatchObject({ waiting: 1, ended: [], holdups: [] });
});

it('an error that nobody expects is told to the operator, and loses no message', async () => {
  let failures = 0;
  const { deliverer, send, idle, errors } = await scene(async () => {
    if (failures++ < 2) throw new TypeError('our own mistake');
  });
  deliverer.start();
  await send([ADA]);
  await idle();
  expect(errors).toHaveLength(2);
  expect(deliverer.figures(SERVICE).ended).toEqual([]);
});
