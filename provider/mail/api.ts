import { CID } from 'multiformats/cid';
import { z } from 'zod';
import { MailError } from './errors.ts';
import type { Attachment } from './letter.ts';
import { ATTACHMENT_BYTES_MAX, ATTACHMENTS_MAX, REQUEST_BYTES_MAX } from './limits.ts';
import type { Mail } from './mail.ts';
import { letterView, rowView } from './views.ts';

/** What somebody who has the mail asks of it: the commands, or a page in a browser. */
export interface MailRequest {
  /** Method and path: `GET /letters/4f2a`. */
  what: string;
  query: URLSearchParams;
  body(bytesMax: number): Promise<Uint8Array>;
  signal: AbortSignal;
}

const PAGE_LETTERS = 50;

const text = z.string();
const peer = text.max(128);
const name = text.max(64);
const attachment = z.strictObject({ name: text, type: text, bytes: z.int(), cid: text.max(128), key: text.max(128) });
const newLetter = z.strictObject({
  to: z.array(peer).max(1_000),
  subject: text.max(2_000).optional(),
  text: text.optional(),
  replyTo: text.max(64).optional(),
  attachments: z.array(attachment).max(ATTACHMENTS_MAX).optional(),
});
const contact = z.strictObject({ name, peer });
const block = z.strictObject({ who: peer, isBlocked: z.boolean() });
const settings = z.strictObject({ payer: z.enum(['sender', 'recipient']), accept: z.enum(['anyone', 'contacts']) });
const opening = settings.extend({
  at: z.array(z.strictObject({ peer, addrs: z.array(text.max(512)).min(1).max(16) })).max(16),
});

type Answer = (request: MailRequest, id: string, index: number) => unknown;

/**
 * All that can be asked of one's mail, as requests with JSON: whoever holds the mail answers, whether the one who asks is in
 * the same process or not. The answer is bytes for an attachment, else a JSON value.
 */
export class MailApi {
  readonly #mail: Mail;
  readonly #answers: Record<string, Answer>;

  constructor(mail: Mail) {
    this.#mail = mail;
    this.#answers = {
      'GET /letters': ({ query }) => this.#list(query),
      'POST /letters': (request) => this.#send(request),
      'GET /letters/ID': async (_, id) => letterView(mail, await mail.read(id)),
      'DELETE /letters/ID': (_, id) => this.#remove(id),
      'GET /letters/ID/INDEX': async ({ signal }, id, index) => mail.attachment(await mail.read(id), index, signal),
      'POST /attachments': (request) => this.#attach(request),
      'POST /sync': async ({ signal }) => {
        const { received, errors } = await mail.sync(signal);
        return { received, errors: errors.map(({ provider, error }) => ({ provider, message: error.message })) };
      },
      'GET /contacts': () => ({ contacts: mail.store.contacts(), blocked: mail.store.blocked() }),
      'POST /contacts': async (request) => {
        const added = contact.parse(await json(request));
        return mail.addContact(added.name, added.peer);
      },
      'POST /contacts/verify': async (request) => {
        const told = contact.parse(await json(request));
        return mail.verifyContact(told.name, told.peer);
      },
      'DELETE /contacts': ({ query }) => {
        const removed = mail.peerOf(query.get('who') ?? '');
        mail.store.removeContact(removed);
        return { peer: removed };
      },
      'POST /blocked': async (request) => {
        const { who, isBlocked } = block.parse(await json(request));
        return { peer: await mail.setBlocked(who, isBlocked), isBlocked };
      },
      'POST /mailboxes': (request) => this.#open(request),
      'DELETE /mailboxes': (request) => this.#close(request),
    };
  }

  /** @throws MailError, ZodError and SyntaxError for a request that is not as it should be, undefined for an unknown one */
  answer(request: MailRequest): unknown {
    const [, method = '', id = '', index] =
      /^([A-Z]+) \/letters\/([0-9a-f]+)(?:\/(\d{1,2}))?$/.exec(request.what) ?? [];
    const route = id === '' ? request.what : `${method} /letters/ID${index === undefined ? '' : '/INDEX'}`;
    return Object.hasOwn(this.#answers, route) ? this.#answers[route]!(request, id, Number(index)) : undefined;
  }

  #list(query: URLSearchParams): object {
    const { store, address } = this.#mail;
    const number = (key: string, otherwise: number): number => {
      const value = Number(query.get(key) ?? otherwise);
      return Number.isSafeInteger(value) && value >= 0 ? value : otherwise;
    };
    const prefix = query.get('thread');
    const which =
      prefix === null
        ? ({ box: query.get('box') === 'out' ? 'out' : 'in' } as const)
        : { thread: store.find(prefix).thread };
    const limit = number('limit', PAGE_LETTERS);
    const rows = store.list({ ...which, limit, offset: number('offset', 0) });
    const letters = rows.map((row) => rowView(this.#mail, row));
    return { address, unread: store.unread(), letters, more: letters.length === limit };
  }

  async #send(request: MailRequest): Promise<object> {
    const { to, subject, text: body, replyTo, attachments = [] } = newLetter.parse(await json(request));
    const sent = await this.#mail.send({
      to,
      ...(subject === undefined ? {} : { subject }),
      ...(body === undefined ? {} : { text: body }),
      ...(replyTo === undefined ? {} : { replyTo }),
      attachments: attachments.map((one): Attachment => ({ ...one, cid: cidOf(one.cid) })),
      signal: request.signal,
    });
    return letterView(this.#mail, sent);
  }

  #remove(id: string): object {
    const row = this.#mail.store.find(id);
    this.#mail.store.remove(row);
    return { removed: Buffer.from(row.id).toString('hex') };
  }

  async #attach({ query, body }: MailRequest): Promise<object> {
    const [file, type] = [query.get('name') ?? '', query.get('type') ?? ''];
    const made = await this.#mail.attach({ name: file, type, content: await body(ATTACHMENT_BYTES_MAX) });
    return { ...made, cid: made.cid.toString() };
  }

  async #open(request: MailRequest): Promise<object> {
    const { at, payer, accept } = opening.parse(await json(request));
    const endpoints = at.length > 0 ? at : this.#mail.store.endpoints();
    if (endpoints.length === 0) {
      throw new MailError('NO_MAILBOX', 'Name a provider with --at; it prints its address when it starts.');
    }
    const opened = await this.#mail.openAt(endpoints, { payer, accept }, request.signal);
    const mailboxes = opened.map(({ error, ...one }) => ({ ...one, ...defined(error) }));
    return { address: this.#mail.address, mailboxes };
  }

  /** Those of `at`, or all. */
  async #close({ query, signal }: MailRequest): Promise<object> {
    const at_ = query.getAll('at');
    const peers = at_.length > 0 ? at_ : this.#mail.store.endpoints().map((endpoint) => endpoint.peer);
    const closed = await this.#mail.closeAt(peers, signal);
    return { mailboxes: closed.map(({ error, ...one }) => ({ ...one, ...defined(error) })) };
  }
}

async function json({ body }: MailRequest): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await body(REQUEST_BYTES_MAX)));
}

function defined(error: Error | undefined): { error?: string } {
  return error === undefined ? {} : { error: error.message };
}

function cidOf(text_: string): CID {
  try {
    return CID.parse(text_);
  } catch (error) {
    throw new MailError('ATTACHMENT_INVALID', `${text_} is not a CID`, error);
  }
}
