import { join } from 'node:path';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { z } from 'zod';
import { WorkswapError } from '../../sdk/protocol/index.ts';
import { findRunning, MailApi, openMail, type RunningMail } from '../mail/index.ts';
import { loadIdentity } from '../node/index.ts';
import { StoreError } from '../store/index.ts';
import { UsageError } from './errors.ts';
import type { MailFlags } from './mail.ts';
import { interruptSignal, openConsumer } from './session.ts';

/** Asks the mail of the command's identity. @param what method and path; @param body JSON, or the bytes of a file */
export type AskMail = <T>(what: string, body?: object | Uint8Array) => Promise<T>;

/** Opens the mail, or asks the gateway that has it open already. */
export async function withMail(
  flags: MailFlags,
  use: (ask: AskMail, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const signal = interruptSignal();
  const { home, identity } = flags;
  const key = await loadIdentity(identity ?? join(home, 'identity.key'));
  const running = await findRunning(home, peerIdFromPrivateKey(key).toString());
  if (running !== undefined) return use(askRunning(running, signal), signal);
  const node = await openConsumer(flags).catch((error: unknown) => {
    throw inUse(error);
  });
  try {
    const onError = (error: unknown): void => void process.stderr.write(`workswap: ${(error as Error).message}\n`);
    const mail = await openMail({ node, dataDir: home, onError });
    try {
      await use(askHere(new MailApi(mail), signal), signal);
    } finally {
      await mail.close();
    }
  } finally {
    await node.stop();
  }
}

function askHere(api: MailApi, signal: AbortSignal): AskMail {
  return async <T>(what: string, body?: object | Uint8Array) => {
    const [path, query] = what.split('?', 2) as [string, string?];
    const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body ?? {}));
    const request = { what: path, query: new URLSearchParams(query), body: async () => bytes, signal };
    try {
      return (await api.answer(request)) as T;
    } catch (error) {
      throw error instanceof z.ZodError ? new UsageError(z.prettifyError(error)) : error;
    }
  };
}

const refusal = z.object({ error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }) });

function askRunning({ url, token }: RunningMail, signal: AbortSignal): AskMail {
  return async <T>(what: string, body?: object | Uint8Array) => {
    const [method = '', path = ''] = what.split(' ', 2);
    const response = await fetch(`${url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
      ...(body === undefined ? {} : { body: body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body) }),
      signal,
    }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw stopped(url, error);
    });
    if (!response.ok) {
      const { code, message, retryable } = refusal.parse(await response.json()).error;
      throw new WorkswapError(code, message, { fault: 'consumer', retryable });
    }
    const isJson = response.headers.get('content-type') === 'application/json';
    return (isJson ? await response.json() : new Uint8Array(await response.arrayBuffer())) as T;
  };
}

function stopped(url: string, cause: unknown): WorkswapError {
  const message = `The gateway that has your mail at ${url} does not answer: it may be stopping. Try again.`;
  return new WorkswapError('MAIL_UNAVAILABLE', message, { fault: 'provider', retryable: true, cause });
}

/** What uses the directory may have no mail open: then there is nobody to ask. */
function inUse(error: unknown): unknown {
  if (!(error instanceof StoreError) || error.code !== 'STORE_LOCKED') return error;
  const { path } = error;
  const hint =
    'If it is "workswap gateway", start it with --mail HOST:PORT: then it has your mail too, and commands ask it.';
  return new StoreError('STORE_LOCKED', `${error.message} ${hint}`, { path, retryable: true, cause: error });
}
