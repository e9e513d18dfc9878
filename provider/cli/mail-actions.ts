import { mkdir, open as openFile, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { lookup } from 'mrmime';
import type { Endpoint } from '../../sdk/protocol/index.ts';
import { openMail, type LetterRow, type Mail, type OpenedLetter } from '../mail/index.ts';
import { checkPeerAddress } from './addresses.ts';
import { UsageError } from './errors.ts';
import type { MailFlags, SendFlags } from './mail.ts';
import { bodyOf, count } from './options.ts';
import { formatAgo, formatBytes, formatTable, shortPeer } from './output.ts';
import { interruptSignal, openConsumer } from './session.ts';

const ID_DIGITS = 8;

async function withMail(flags: MailFlags, use: (mail: Mail, signal: AbortSignal) => Promise<void>): Promise<void> {
  const signal = interruptSignal();
  const node = await openConsumer(flags);
  try {
    const onError = (error: unknown): void => void process.stderr.write(`workswap: ${(error as Error).message}\n`);
    const mail = await openMail({ node, dataDir: flags.home, onError });
    try {
      await use(mail, signal);
    } finally {
      await mail.close();
    }
  } finally {
    await node.stop();
  }
}

export async function open(flags: MailFlags & { at: string[]; payer: string; accept: string }): Promise<void> {
  const { payer, accept } = flags;
  if (payer !== 'sender' && payer !== 'recipient') throw new UsageError('--payer takes sender or recipient');
  if (accept !== 'anyone' && accept !== 'contacts') throw new UsageError('--accept takes anyone or contacts');
  const places = flags.at.map((addr): Endpoint => ({ peer: checkPeerAddress('--at', addr), addrs: [addr] }));
  await withMail(flags, async (mail, signal) => {
    const endpoints = places.length > 0 ? places : mail.store.endpoints();
    if (endpoints.length === 0) throw new UsageError('Name a provider with --at; it prints its address when it starts');
    const opened = await mail.openAt(endpoints, { payer, accept }, signal);
    const json = opened.map(({ peer, error }) => ({ peer, ...(error === undefined ? {} : { error: error.message }) }));
    print(flags, { address: mail.address, mailboxes: json }, () => [
      `Your address: ${mail.address}`,
      ...json.map(({ peer, error }) => `  ${peer}: ${error ?? 'has a mailbox for you'}`),
    ]);
  });
}

export async function send(to: string[], flags: SendFlags): Promise<void> {
  const text = flags.text === undefined ? undefined : Buffer.from(await bodyOf(flags.text)).toString();
  const attachments = await Promise.all(flags.attach.map(readAttachment));
  await withMail(flags, async (mail, signal) => {
    const sent = await mail.send({
      to,
      attachments,
      signal,
      ...(flags.subject === undefined ? {} : { subject: flags.subject }),
      ...(text === undefined ? {} : { text }),
      ...(flags.reply === undefined ? {} : { replyTo: flags.reply }),
    });
    print(flags, letterJson(mail, sent), () => [
      `Letter ${idOf(sent).slice(0, ID_DIGITS)}`,
      ...sent.deliveries.map(
        ({ recipient, error }) => `  ${nameOf(mail, recipient)}: ${error ?? 'waits in the mailbox'}`,
      ),
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
  await withMail(flags, async (mail, signal) => {
    const errors = flags.offline === true ? [] : (await mail.sync(signal)).errors;
    for (const { provider, error } of errors) process.stderr.write(`workswap: mailbox ${provider}: ${error.message}\n`);
    const thread = flags.thread === undefined ? undefined : mail.store.find(flags.thread).thread;
    const rows = mail.store.list({
      limit,
      ...(thread === undefined ? { box: flags.sent === true ? 'out' : 'in' } : { thread }),
    });
    const letters = rows.map((row) => rowJson(mail, row));
    print(flags, { unread: mail.store.unread(), letters }, () =>
      rows.length === 0 ? ['No letters.'] : [table(mail, rows)],
    );
  });
}

function table(mail: Mail, rows: readonly LetterRow[]): string {
  const nowMs = Date.now();
  const cells = rows.map((row) => {
    const who =
      row.box === 'in'
        ? nameOf(mail, row.author)
        : mail.store
            .deliveries(row.id)
            .map(({ recipient, isSent }) => nameOf(mail, recipient) + (isSent ? '' : ' (not sent)'))
            .join(', ');
    return [row.isRead ? '' : '*', idOf(row).slice(0, ID_DIGITS), who, formatAgo(nowMs - row.timeMs), row.subject];
  });
  return formatTable(['', 'id', 'who', 'when', 'subject'], cells);
}

export async function read(id: string, flags: MailFlags & { save?: string }): Promise<void> {
  await withMail(flags, async (mail, signal) => {
    const letter = await mail.read(id);
    const saved = flags.save === undefined ? [] : await save(mail, letter, flags.save, signal);
    print(flags, { ...letterJson(mail, letter), saved }, () => {
      const { subject, to, timeMs, attachments, text } = letter.letter;
      return [
        `From:    ${nameOf(mail, letter.author)} ${letter.author}`,
        `To:      ${to.map((peer) => nameOf(mail, peer)).join(', ')}`,
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
async function save(mail: Mail, letter: OpenedLetter, directory: string, signal: AbortSignal): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const paths: string[] = [];
  for (const [index, { name }] of letter.letter.attachments.entries()) {
    const content = await mail.attachment(letter, index, signal);
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
  await withMail(flags, async (mail) => {
    const rows = ids.map((id) => mail.store.find(id));
    for (const row of rows) mail.store.remove(row);
    print(flags, { removed: rows.map(idOf) }, () => rows.map((row) => `Removed ${idOf(row).slice(0, ID_DIGITS)}`));
  });
}

export async function contacts(flags: MailFlags): Promise<void> {
  await withMail(flags, async (mail) => {
    const known = mail.store.contacts();
    const blocked = mail.store.blocked();
    print(flags, { contacts: known, blocked }, () => [
      known.length === 0
        ? 'No contacts.'
        : formatTable(
            ['name', 'verified', 'peer'],
            known.map(({ name, isVerified, peer }) => [name, isVerified ? 'yes' : 'no', peer]),
          ),
      ...blocked.map((peer) => `Blocked: ${peer}`),
    ]);
  });
}

export async function addContact(name: string, peer: string, flags: MailFlags): Promise<void> {
  await withMail(flags, async (mail) => {
    const contact = mail.addContact(name, peer);
    print(flags, contact, () => [
      `${name} is ${peer}, not verified. Ask them, then: workswap mail contacts verify ${name} PEER-ID`,
    ]);
  });
}

export async function verifyContact(name: string, told: string, flags: MailFlags): Promise<void> {
  await withMail(flags, async (mail) => {
    const contact = mail.verifyContact(name, told);
    print(flags, contact, () => [`${name} is verified.`]);
  });
}

export async function removeContact(name: string, flags: MailFlags): Promise<void> {
  await withMail(flags, async (mail) => {
    const peer = mail.peerOf(name);
    mail.store.removeContact(peer);
    print(flags, { removed: name, peer }, () => [`${name} is no contact any more.`]);
  });
}

export async function setBlocked(who: string, isBlocked: boolean, flags: MailFlags): Promise<void> {
  await withMail(flags, async (mail) => {
    const peer = await mail.setBlocked(who, isBlocked);
    print(flags, { peer, isBlocked }, () => [`Letters of ${who} are ${isBlocked ? 'refused' : 'taken'} from now on.`]);
  });
}

function print(flags: MailFlags, json: object, lines: () => string[]): void {
  if (flags.json === true) console.log(JSON.stringify(json));
  else for (const line of lines()) console.log(line);
}

function rowJson(mail: Mail, row: LetterRow): Record<string, unknown> {
  const { box, author, thread, subject, timeMs, isRead } = row;
  const name = mail.store.contact(author)?.name;
  return {
    id: idOf(row),
    box,
    from: author,
    ...(name === undefined ? {} : { contact: name }),
    thread: Buffer.from(thread).toString('hex'),
    subject,
    timeMs,
    isRead,
  };
}

function letterJson(mail: Mail, { letter, deliveries, ...row }: OpenedLetter): Record<string, unknown> {
  const { to, text, replyTo, attachments } = letter;
  return {
    ...rowJson(mail, row),
    ...(replyTo === undefined ? {} : { replyTo: Buffer.from(replyTo).toString('hex') }),
    to,
    text,
    attachments: attachments.map(({ name, type, bytes, cid }) => ({ name, type, bytes, cid: cid.toString() })),
    ...(row.box === 'out' ? { deliveries } : {}),
  };
}

function idOf({ id }: Pick<LetterRow, 'id'>): string {
  return Buffer.from(id).toString('hex');
}

/** Whoever is no verified contact is not to be mistaken for one. */
function nameOf(mail: Mail, peer: string): string {
  if (peer === mail.address) return 'me';
  const contact = mail.store.contact(peer);
  return contact === undefined ? shortPeer(peer) : contact.isVerified ? contact.name : `${contact.name}?`;
}

/** What a stranger wrote must not steer the terminal. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, (char) => (char === '\n' || char === '\t' ? char : ''));
}
