import { setTimeout } from 'node:timers/promises';
import { PIN_STATUSES, PinError, type PinStatus, type PinView } from '../pinning/index.ts';
import { UsageError } from './errors.ts';
import { count } from './options.ts';
import { formatAgo, formatCount, formatTable, shortBytes, shortPeer } from './output.ts';
import type { PinAddFlags, PinListFlags } from './pin.ts';
import type { PinFlags } from './pin-flags.ts';
import { withPins, type AskHere } from './pin-session.ts';
import { parseCid } from './session.ts';

const POLL_MS = 300;

export async function addPin(cid: string, flags: PinAddFlags): Promise<void> {
  if (parseCid(cid) === undefined) throw new UsageError(`${cid} is not a CID`);
  const { name, origin, meta } = flags;
  await withPins(flags, async ({ ask, signal, book }) => {
    const request = { cid, origins: origin, meta: metaOf(meta), ...(name === undefined ? {} : { name }) };
    let { pin } = await ask({ ask: 'add', pin: request });
    if (flags.wait) pin = await waitFor(ask, pin, signal);
    await book(pin);
    print(flags, pin, () => (flags.wait ? describe(pin) : pin.id));
    if (flags.wait && pin.status === 'failed') throw failureOf(pin);
  });
}

export async function listPins(flags: PinListFlags): Promise<void> {
  const limit = count(flags.limit);
  const { name, cid } = flags;
  const filter = {
    ...(flags.status === undefined ? {} : { statuses: statusesOf(flags.status) }),
    ...(name === undefined ? {} : { name, match: 'ipartial' as const }),
    ...(cid === undefined ? {} : { cids: [cid] }),
  };
  await withPins(flags, async ({ ask }) => {
    const pins: PinView[] = [];
    let total = 0;
    for (let before: { beforeMs?: number } = {}; pins.length < limit;) {
      const page = await ask({
        ask: 'list',
        all: flags.all ?? false,
        filter: { ...filter, ...before, limit: Math.min(1000, limit - pins.length) },
      });
      if (pins.length === 0) total = page.count;
      const last = page.pins.at(-1);
      if (last === undefined) break;
      pins.push(...page.pins);
      before = { beforeMs: last.createdMs };
    }
    print(flags, pins, () => tableOf(pins, total, flags.all ?? false));
  });
}

export async function showPin(id: string, flags: PinFlags): Promise<void> {
  await withPins(flags, async ({ ask, book }) => {
    const { pin } = await ask({ ask: 'get', id });
    await book(pin);
    print(flags, pin, () => describe(pin));
  });
}

export async function removePins(ids: string[], flags: PinFlags): Promise<void> {
  await withPins(flags, async ({ ask }) => {
    for (const id of ids) await ask({ ask: 'remove', id });
    print(flags, { removed: ids }, () => `Removed ${ids.length === 1 ? ids[0] : `${ids.length} pins`}.`);
  });
}

export async function verifyPin(id: string, flags: PinFlags): Promise<void> {
  await withPins(flags, async ({ ask, signal }) => {
    let { verification: so } = await ask({ ask: 'verify', id, start: true });
    while (so?.isRunning === true) {
      await setTimeout(POLL_MS, undefined, { signal });
      showProgress(`${formatCount(so.blocks)} blocks, ${shortBytes(so.bytes)}`);
      ({ verification: so } = await ask({ ask: 'verify', id, start: false }));
    }
    if (so === undefined) throw new PinError('BAD_ANSWER', 'The provider could not read its blocks; its log says why.');
    const { isRunning: _, ...found } = so;
    const bad = [...found.corrupt.map((cid) => `corrupt  ${cid}`), ...found.missing.map((cid) => `missing  ${cid}`)];
    print(flags, found, () =>
      [...bad, `${formatCount(found.blocks)} blocks, ${shortBytes(found.bytes)} are as they should be.`].join('\n'),
    );
    if (bad.length > 0) process.exitCode = 1;
  });
}

export async function collect(flags: PinFlags & { dryRun?: boolean }): Promise<void> {
  const dryRun = flags.dryRun ?? false;
  await withPins(flags, async ({ ask, signal }) => {
    let { collection: so } = await ask({ ask: 'collect', start: true, dryRun });
    while (so === undefined || so.isRunning) {
      await setTimeout(POLL_MS, undefined, { signal });
      ({ collection: so } = await ask({ ask: 'collect', start: false, dryRun }));
      showProgress(`${formatCount(so?.marked ?? 0)} in use, ${formatCount(so?.removed ?? 0)} not`);
    }
    if (so.error !== undefined) throw new PinError('BAD_ANSWER', `The collection broke off: ${so.error}`);
    const { kept, removed, removedBytes } = so;
    const what = so.dryRun ? 'would be removed' : 'removed';
    print(
      flags,
      { dryRun: so.dryRun, kept, removed, removedBytes },
      () => `${formatCount(removed)} blocks, ${shortBytes(removedBytes)} ${what}; ${formatCount(kept)} stay.`,
    );
  });
}

function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text}   `);
}

/** Until the pin is there, or its first attempt has failed. */
async function waitFor(ask: AskHere, first: PinView, signal: AbortSignal): Promise<PinView> {
  let pin = first;
  let isShown = false;
  while (pin.status !== 'pinned' && pin.status !== 'failed') {
    await setTimeout(POLL_MS, undefined, { signal });
    ({ pin } = await ask({ ask: 'get', id: first.id }));
    if (!process.stderr.isTTY) continue;
    isShown = true;
    process.stderr.write(`\r${pin.status} ${formatCount(pin.blocks)} blocks, ${shortBytes(pin.bytes)}   `);
  }
  if (isShown) process.stderr.write('\n');
  return pin;
}

function failureOf({ error }: PinView): PinError {
  return new PinError((error?.code ?? 'CONTENT_NOT_FOUND') as PinError['code'], error?.message ?? 'It was not pinned.');
}

function describe(pin: PinView): string {
  const lines = [
    ['pin', pin.id],
    ['cid', pin.cid],
    ...(pin.name === undefined ? [] : [['name', pin.name]]),
    ['status', pin.status],
    ['here', `${formatCount(pin.blocks)} blocks, ${shortBytes(pin.bytes)}`],
    ['since', new Date(pin.createdMs).toISOString()],
    ...(pin.paidUntilMs === undefined
      ? []
      : [['until', `${new Date(pin.paidUntilMs).toISOString()}, paid ${shortBytes(pin.paidBytes)}`]]),
    ...(pin.error === undefined ? [] : [['why', `${pin.error.code}: ${pin.error.message}`]]),
    ...(pin.nextMs === undefined || pin.status !== 'failed' ? [] : [['again', new Date(pin.nextMs).toISOString()]]),
    ...Object.entries(pin.meta).map(([key, value]) => ['meta', `${key}=${value}`]),
  ];
  return lines.map(([name, value]) => `${name!.padEnd(7)} ${value}`).join('\n');
}

function tableOf(pins: readonly PinView[], total: number, isOfAll: boolean): string {
  if (pins.length === 0) return 'There are no such pins.';
  const nowMs = Date.now();
  const rows = pins.map(({ id, owner, cid, name, status, blocks, bytes, createdMs }) => [
    id,
    status,
    formatCount(blocks),
    shortBytes(bytes),
    formatAgo(nowMs - createdMs),
    ...(isOfAll ? [shortPeer(owner)] : []),
    name ?? '',
    cid,
  ]);
  const table = formatTable(
    ['id', 'status', 'blocks', 'size', 'age', ...(isOfAll ? ['owner'] : []), 'name', 'cid'],
    rows,
    { right: [2, 3] },
  );
  return total > pins.length ? `${table}\n${total - pins.length} more; --limit shows more of them.` : table;
}

function statusesOf(text: string): PinStatus[] {
  return text.split(',').map((one) => {
    const status = PIN_STATUSES.find((known) => known === one.trim());
    if (status === undefined) throw new UsageError(`--status takes ${PIN_STATUSES.join(', ')}; not ${one}`);
    return status;
  });
}

function metaOf(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf('=');
      if (at < 1) throw new UsageError(`--meta takes KEY=VALUE, not ${entry}`);
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

function print({ json }: PinFlags, value: unknown, text: () => string): void {
  console.log(json ? JSON.stringify(value) : text());
}
