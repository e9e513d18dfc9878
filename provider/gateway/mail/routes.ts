import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { WorkswapError } from '../../../sdk/protocol/index.ts';
import { MailApi, type Mail } from '../../mail/index.ts';
import { Hosts } from '../hosts.ts';
import {
  bearerOf,
  HttpError,
  isToken,
  OWN_PAGE_HEADERS,
  type HttpHandler,
  type HttpReply,
  type HttpRequest,
} from '../http/index.ts';

const PAGE = join(import.meta.dirname, 'page');

/** What the page is made of: public, since it holds nothing. */
const FILES: Record<string, [file: string, type: string]> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/mail.css': ['mail.css', 'text/css; charset=utf-8'],
  '/mail.js': ['mail.js', 'text/javascript; charset=utf-8'],
};

export interface MailRoutesInit {
  mail: Mail;
  /** Whoever has it can read and write everything. */
  token: string;
  /** Of the address that the server listens at. */
  host: string;
}

/** The mail page and what it asks for. The token comes in a header that no other site can make a browser send. */
export function createMailRoutes({ mail, token, host }: MailRoutesInit): HttpHandler {
  const hosts = new Hosts([host, hostname()]);
  const api = new MailApi(mail);

  async function answer(request: HttpRequest): Promise<HttpReply> {
    // A site elsewhere whose name was made to lead here must not read what is meant for this machine.
    if (hosts.siteOf(request.headers.host, request.local).kind !== 'main') {
      throw new HttpError(421, 'HOST_UNKNOWN', 'Use the address that the gateway printed');
    }
    const [path = '', query = ''] = request.target.split('?', 2);
    const file = FILES[path];
    if (file !== undefined && request.method === 'GET') {
      return { status: 200, headers: { 'content-type': file[1] }, body: await readFile(join(PAGE, file[0])) };
    }
    if (!path.startsWith('/api/')) throw new HttpError(404, 'NOT_FOUND', 'There is no such page');
    if (!isToken(bearerOf(request.headers.authorization), token)) {
      throw new HttpError(401, 'TOKEN_NEEDED', 'Open the page with the address that the gateway printed');
    }
    const { method, signal } = request;
    const what = `${method} ${path.slice('/api'.length)}`;
    const body = (bytesMax: number): Promise<Uint8Array> => request.body(bytesMax);
    return replyOf(await asked(() => api.answer({ what, query: new URLSearchParams(query), body, signal })));
  }

  return async (request) => {
    const reply = await answer(request);
    Object.assign(reply.headers, OWN_PAGE_HEADERS);
    return reply;
  };
}

async function asked(ask: () => unknown): Promise<unknown> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError) {
      throw new HttpError(400, 'BAD_REQUEST', error instanceof z.ZodError ? z.prettifyError(error) : error.message);
    }
    if (!(error instanceof WorkswapError) || error instanceof HttpError) throw error;
    const { code, message, fault, retryable } = error;
    throw new HttpError(code.endsWith('UNKNOWN') ? 404 : 409, code, message, { fault, retryable });
  }
}

function replyOf(answer: unknown): HttpReply {
  if (answer === undefined) throw new HttpError(404, 'NOT_FOUND', 'There is nothing here');
  // Whatever type an attachment says it has, it is not to be shown in this origin.
  if (answer instanceof Uint8Array) {
    return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: answer };
  }
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(answer) };
}
