import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { WorkswapError } from '../../../sdk/protocol/index.ts';
import type { LetterRow, Mail } from '../../mail/index.ts';
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
import { ATTACHMENT_TIMEOUT_MS, BODY_BYTES_MAX, PAGE_LETTERS, SYNC_TIMEOUT_MS } from './limits.ts';

const PAGE = join(import.meta.dirname, 'page');

/** What the page is made of: public, since it holds nothing. */
const FILES: Record<string, [file: string, type: string]> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/mail.css': ['mail.css', 'text/css; charset=utf-8'],
  '/mail.js': ['mail.js', 'text/javascript; charset=utf-8'],
};

const text = z.string();
const newLetter = z.strictObject({
  to: z.array(text.max(128)).max(100),
  subject: text.max(2_000).optional(),
  text: text.optional(),
  replyTo: text.max(64).optional(),
  attachments: z
    .array(z.strictObject({ name: text.max(300), type: text.max(200), content: z.base64() }))
    .max(16)
    .optional(),
});
const newContact = z.strictObject({ name: text.max(64), peer: text.max(128) });

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
    try {
      return await api(`${request.method} ${path.slice('/api'.length)}`, new URLSearchParams(query), request);
    } catch (error) {
      if (error instanceof z.ZodError || error instanceof SyntaxError) {
        throw new HttpError(400, 'BAD_REQUEST', error instanceof z.ZodError ? z.prettifyError(error) : error.message);
      }
      if (!(error instanceof WorkswapError) || error instanceof HttpError) throw error;
      throw new HttpError(error.code.endsWith('UNKNOWN') ? 404 : 409, error.code, error.message);
    }
  }

  async function api(what: string, query: URLSearchParams, request: HttpRequest): Promise<HttpReply> {
    const within = (ms: number): AbortSignal => AbortSignal.any([request.signal, AbortSignal.timeout(ms)]);
    const body = async (): Promise<unknown> =>
      JSON.parse(new TextDecoder().decode(await request.body(BODY_BYTES_MAX))) as unknown;
    const [, id = '', index] = /^[A-Z]+ \/letters\/([0-9a-f]+)(?:\/(\d{1,2}))?$/.exec(what) ?? [];
    if (what === 'GET /letters') return json(list(query));
    if (what === 'POST /sync') {
      const { received, errors } = await mail.sync(within(SYNC_TIMEOUT_MS));
      return json({ received, errors: errors.map(({ provider, error }) => `${provider}: ${error.message}`) });
    }
    if (what === 'POST /letters') {
      const { attachments = [], to, ...rest } = newLetter.parse(await body());
      const decoded = attachments.map(({ name, type, content }) => ({
        name,
        type,
        content: Buffer.from(content, 'base64'),
      }));
      const fields = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
      const sent = await mail.send({ ...fields, to, attachments: decoded, signal: within(SYNC_TIMEOUT_MS) });
      return json({ id: hex(sent.id), deliveries: sent.deliveries });
    }
    if (what === 'GET /contacts') return json({ contacts: mail.store.contacts(), blocked: mail.store.blocked() });
    if (what === 'POST /contacts') {
      const { name, peer } = newContact.parse(await body());
      return json(mail.addContact(name, peer));
    }
    if (id !== '' && index === undefined && request.method === 'GET') return json(await letter(id));
    if (id !== '' && index === undefined && request.method === 'DELETE') {
      mail.store.remove(mail.store.find(id));
      return json({ removed: id });
    }
    if (id !== '' && index !== undefined && request.method === 'GET') {
      const content = await mail.attachment(await mail.read(id), Number(index), within(ATTACHMENT_TIMEOUT_MS));
      // Whatever its type says, it is not to be shown in this origin.
      return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: content };
    }
    throw new HttpError(404, 'NOT_FOUND', 'There is nothing here');
  }

  function list(query: URLSearchParams): object {
    const offset = Math.max(0, Number.parseInt(query.get('offset') ?? '0', 10) || 0);
    const box = query.get('box') === 'out' ? 'out' : 'in';
    const letters = mail.store.list({ box, limit: PAGE_LETTERS, offset }).map(rowJson);
    return { address: mail.address, unread: mail.store.unread(), letters, more: letters.length === PAGE_LETTERS };
  }

  async function letter(id: string): Promise<object> {
    const { letter: opened, deliveries, ...row } = await mail.read(id);
    const { to, text: body, attachments } = opened;
    return {
      ...rowJson(row),
      to: to.map(person),
      text: body,
      attachments: attachments.map(({ name, bytes }) => ({ name, bytes })),
      deliveries: deliveries.map(({ recipient, ...rest }) => ({ ...person(recipient), ...rest })),
    };
  }

  function rowJson(row: LetterRow): object {
    const { box, author, subject, timeMs, isRead } = row;
    const to = box === 'out' ? mail.store.deliveries(row.id).map(({ recipient }) => person(recipient)) : [];
    return { id: hex(row.id), box, from: person(author), to, subject, timeMs, isRead };
  }

  function person(peer: string): object {
    const contact = mail.store.contact(peer);
    if (contact === undefined) return { peer, isMe: peer === mail.address };
    return { peer, isMe: peer === mail.address, name: contact.name, isVerified: contact.isVerified };
  }

  return async (request) => {
    const reply = await answer(request);
    Object.assign(reply.headers, OWN_PAGE_HEADERS);
    return reply;
  };
}

function json(value: object): HttpReply {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

function hex(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}
