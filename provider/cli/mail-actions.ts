import { mkdir, open as openFile, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { lookup } from 'mrmime';
import type { AttachmentView, LetterView, PersonView, RowView } from '../mail/index.ts';
import { checkPeerAddress } from './addresses.ts';
import { UsageError } from './errors.ts';
import type { MailFlags, SendFlags } from './mail.ts';
import { withMail, type AskMail } from './mail-session.ts';
import { bodyOf, count } from './options.ts';
import { formatAgo, formatBytes, formatTable, shortPeer } from './output.ts';

const ID_DIGITS = 8;

interface Opened {
  address: string;
  mailboxes: { peer: string; error?: string }[];
}

export async function open(flags: MailFlags & { at: string[]; payer: string; accept: string }): Promise<void> {
  const { payer, accept } = flags;
  if (payer !== 'sender' && payer !== 'recipient') throw new UsageError('--payer takes sender or recipient');
  if (accept !== 'anyone' && accept !== 'contacts') throw new UsageError('--accept takes anyone or contacts');
  const at = flags.at.map((addr) => ({ peer: checkPeerAddress('--at', addr), addrs: [addr] }));
  await withMail(flags, async (ask) => {
    const opened = await ask<Opened>('POST /mailboxes', { at, payer, accept });
    print(flags, opened, () => [
      `Your address: ${opened.address}`,
      ...opened.mailboxes.map(({ peer, error }) => `  ${peer}: ${error ?? 'has a mailbox for you'}`),
    ]);
  });
}

export async function close(flags: MailFlags & { at: string[]; all?: boolean }): Promise<void> {
  if (flags.at.length > 0 === (flags.all === true)) throw new UsageError('Name providers with --at, or give --all');
  const at = flags.at.map((text) => ['at', text.includes('/') ? checkPeerAddress('--at', text) : text]);
  await withMail(flags, async (ask) => {
    const query = new URLSearchParams(at);
    const { mailboxes } = await ask<{ mailboxes: (Opened['mailboxes'][number] & { messages?: number })[] }>(
      `DELETE /mailboxes?${query}`,
    );
    print(flags, { mailboxes }, () =>
      mailboxes.map(({ peer, error, messages = 0 }) => {
        const left = messages === 0 ? '' : `; ${messages} that another device has taken are gone`;
        return `  ${peer}: ${error ?? `closed, what waited is here${left}`}`;
      }),
    );
    if (mailboxes.some(({ error }) => error !== undefined)) process.exitCode = 1;
  });
}

export async function send(to: string[], flags: SendFlags): Promise<void> {
  const text = flags.text === undefined ? undefined : Buffer.from(await bodyOf(flags.text)).toString();
  const files = await Promise.all(flags.attach.map(readAttachment));
  await withMail(flags, async (ask) => {
    const attachments: AttachmentView[] = [];
    for (const { name, type, content } of files) {
      attachments.push(await ask(`POST /attachments?${new URLSearchParams({ name, type })}`, content));
    }
    const { subject, reply: replyTo } = flags;
    const sent = await ask<LetterView>('POST /letters', { to, subject, text, replyTo, attachments });
    print(flags, letterJson(sent), () => [
      `Letter ${sent.id.slice(0, ID_DIGITS)}`,
      ...sent.deliveries.map((one) => `  ${nameOf(one)}: ${one.error ?? 'waits in the mailbox'}`),
    ]);
    if (sent.deliveries.some(({ isSent }) => !isSent)) process.exitCode = 1;
  });
}

async function readAttachment(path: string) {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) throw new UsageError(`--attach takes a file, and ${path} is none`);
  return { name: basename(path), type: lookup(path) ?? 'application/octet-stream', content: await readFile(path) };
}

export async function list(
  flags: MailFlags & { sent?: boolean; thread?: string; limit: string; offline?: boolean },
): Promise<void> {
  const limit = count(flags.limit);
  await withMail(flags, async (ask) => {
    if (flags.offline !== true) {
      const { errors } = await ask<{ errors: { provider: string; message: string }[] }>('POST /sync');
      for (const { provider, message } of errors) process.stderr.write(`workswap: mailbox ${provider}: ${message}\n`);
    }
    const which: Record<string, string> =
      flags.thread === undefined ? { box: flags.sent === true ? 'out' : 'in' } : { thread: flags.thread };
    const query = new URLSearchParams({ ...which, limit: String(limit) });
    const { unread, letters } = await ask<{ unread: number; letters: RowView[] }>(`GET /letters?${query}`);
    print(flags, { unread, letters: letters.map(rowJson) }, () =>
      letters.length === 0 ? ['No letters.'] : [table(letters)],
    );
  });
}

function table(rows: readonly RowView[]): string {
  const nowMs = Date.now();
  const cells = rows.map(({ id, box, from, deliveries, timeMs, subject, isRead }) => {
    const sentTo = deliveries.map((one) => nameOf(one) + (one.isSent ? '' : ' (not sent)')).join(', ');
    const who = box === 'in' ? nameOf(from) : sentTo;
    return [isRead ? '' : '*', id.slice(0, ID_DIGITS), who, formatAgo(nowMs - timeMs), subject];
  });
  return formatTable(['', 'id', 'who', 'when', 'subject'], cells);
}

export async function read(id: string, flags: MailFlags & { save?: string }): Promise<void> {
  await withMail(flags, async (ask) => {
    const letter = await ask<LetterView>(`GET /letters/${hexOf(id)}`);
    const saved = flags.save === undefined ? [] : await save(ask, letter, flags.save);
    print(flags, { ...letterJson(letter), saved }, () => {
      const { from, subject, to, timeMs, attachments, text } = letter;
      return [
        `From:    ${nameOf(from)} ${from.peer}`,
        `To:      ${to.map(nameOf).join(', ')}`,
        `Date:    ${new Date(timeMs).toString()}`,
        `Subject: ${subject}`,
        ...attachments.map(({ name, bytes }) => `File:    ${name} (${formatBytes(bytes)})`),
        '',
        printable(text),
        ...saved.map((path) => `Saved ${path}`),
      ];
    });
  });
}

/** A file that is there is never overwritten: its name came from somebody else. */
async function save(ask: AskMail, { id, attachments }: LetterView, directory: string): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const paths: string[] = [];
  for (const [index, { name }] of attachments.entries()) {
    const content = await ask<Uint8Array>(`GET /letters/${id}/${index}`);
    const path = join(directory, name);
    const file = await openFile(path, 'wx').catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? new UsageError(`${path} is there already; name another directory`) : error;
    });
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
    paths.push(path);
  }
  return paths;
}

export async function remove(ids: string[], flags: MailFlags): Promise<void> {
  await withMail(flags, async (ask) => {
    const removed: string[] = [];
    for (const id of ids) removed.push((await ask<{ removed: string }>(`DELETE /letters/${hexOf(id)}`)).removed);
    print(flags, { removed }, () => removed.map((id) => `Removed ${id.slice(0, ID_DIGITS)}`));
  });
}

/** The beginning of an id, as it stands in a path. */
function hexOf(text: string): string {
  const id = text.toLowerCase();
  if (/^[0-9a-f]{4,32}$/.test(id)) return id;
  throw new UsageError(`${text.slice(0, 100)} is not the beginning of a letter's id. "workswap mail ls" lists them.`);
}

export function print(flags: MailFlags, json: object, lines: () => string[]): void {
  if (flags.json === true) console.log(JSON.stringify(json));
  else for (const line of lines()) console.log(line);
}

function rowJson({ id, box, from, thread, subject, timeMs, isRead }: RowView): Record<string, unknown> {
  const contact = from.name === undefined ? {} : { contact: from.name };
  return { id, box, from: from.peer, ...contact, thread, subject, timeMs, isRead };
}

function letterJson(letter: LetterView): Record<string, unknown> {
  const { box, to, text, replyTo, attachments, deliveries } = letter;
  return {
    ...rowJson(letter),
    ...(replyTo === undefined ? {} : { replyTo }),
    to: to.map(({ peer }) => peer),
    text,
    attachments,
    ...(box === 'out'
      ? { deliveries: deliveries.map(({ peer, isSent, error }) => ({ recipient: peer, isSent, error })) }
      : {}),
  };
}

/** Whoever is no verified contact is not to be mistaken for one. */
function nameOf({ peer, isMe, name, isVerified }: PersonView): string {
  if (isMe) return 'me';
  return name === undefined ? shortPeer(peer) : isVerified === true ? name : `${name}?`;
}

/** What a stranger wrote must not steer the terminal. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, (char) => (char === '\n' || char === '\t' ? char : ''));
}
