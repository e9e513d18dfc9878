import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerIdFromString } from '@libp2p/peer-id';
import type { CID } from 'multiformats/cid';
import { askAbout, type Publication } from '../services/index.ts';
import type { SealedDescriptor } from '../../sdk/protocol/index.ts';
import {
  importPath,
  type Maintainer,
  MaintainerError,
  readArchive,
  readHistory,
  writeArchive,
  type EndpointResult,
  type EndpointStatus,
  type ServiceChanges,
} from '../maintainer/index.ts';
import { UsageError } from './errors.ts';
import { count } from './options.ts';
import { formatAgo, formatTable } from './output.ts';
import { withMaintainer, withMaintainerAlone } from './maintainer-session.ts';
import { parseCid } from './session.ts';
import { messagesJson, messagesLines } from './service-messages.ts';
import type { ChangeFlags, ServiceFlags } from './service.ts';

export async function create(name: string, flags: ChangeFlags): Promise<void> {
  await withMaintainerAlone({ dataDir: flags.data }, async (maintainer, signal) => {
    const changes = await changesOf(maintainer, flags);
    const published = await maintainer.create(name, { ...changes, handler: changes.handler! }, signal);
    printPublished(name, published, flags.json);
  });
}

export async function update(name: string, flags: ChangeFlags): Promise<void> {
  await withMaintainerAlone({ dataDir: flags.data }, async (maintainer, signal) => {
    const published = await maintainer.update(name, await changesOf(maintainer, flags), signal);
    printPublished(name, published, flags.json);
  });
}

export async function show(name: string, flags: ServiceFlags & { history: string }): Promise<void> {
  const limit = count(flags.history);
  await withMaintainer({ dataDir: flags.data }, async (maintainer, signal) => {
    const sealed = await maintainer.newest(name, signal);
    const { descriptor } = sealed;
    const endpoints = await maintainer.status(name, sealed, signal);
    const newest = endpoints.find(({ commit }) => commit !== undefined)?.commit;
    const history = await readHistory(newest, (cid, from) => maintainer.node.bitswap.get(cid, from), limit, signal);
    const json = {
      name,
      service: descriptor.name,
      descriptor: sealed.cid.toString(),
      handler: descriptor.handler.toString(),
      ...(descriptor.site === undefined ? {} : { site: descriptor.site.toString() }),
      sponsor: descriptor.policy.sponsor,
      sequence: descriptor.sequence,
      expiresMs: descriptor.expiresMs,
      endpoints: endpoints.map(endpointJson),
      history: history.map(({ cid, commit }) => ({
        commit: cid.toString(),
        timeMs: commit.timeMs,
        tasks: commit.tasks.map(String),
        before: commit.before.toString(),
        after: commit.after.toString(),
      })),
    };
    if (flags.json) {
      console.log(JSON.stringify(json));
      return;
    }
    console.log(`${name}  ${json.service}
descriptor  ${json.descriptor}  (number ${json.sequence}, until ${new Date(json.expiresMs).toISOString().slice(0, 10)})
handler     ${json.handler}${json.site === undefined ? '' : `\nsite        ${json.site}`}
visitors    are paid for by ${json.sponsor === 'caller' ? 'themselves' : 'the maintainer'}`);
    for (const endpoint of endpoints) console.log(endpointLine(endpoint));
    if (history.length === 0) console.log('No commits yet.');
    else console.log(historyTable(history));
  });
}

export async function list(flags: ServiceFlags): Promise<void> {
  const { openDescriptor } = await import('../../sdk/protocol/index.ts');
  const { ServiceKeys } = await import('../services/index.ts');
  const keys = new ServiceKeys(flags.data);
  const services = await Promise.all(
    [...(await keys.list())].map(async ([name, service]) => {
      const kept = await keys.published(name);
      const descriptor = kept === undefined ? undefined : (await openDescriptor(kept)).descriptor;
      const handler = descriptor?.handler.toString();
      return { name, service, ...(descriptor === undefined ? {} : { handler, expiresMs: descriptor.expiresMs }) };
    }),
  );
  if (flags.json) console.log(JSON.stringify(services));
  else if (services.length === 0) console.log(`There are no services in ${flags.data}.`);
  else
    console.log(
      formatTable(
        ['name', 'service'],
        services.map(({ name, service }) => [name, service]),
      ),
    );
}

export async function rollback(
  name: string,
  text: string | undefined,
  flags: ServiceFlags & { back?: string },
): Promise<void> {
  if ((text === undefined) === (flags.back === undefined)) throw new UsageError('Name a commit, or give --back N');
  await withMaintainerAlone({ dataDir: flags.data }, async (maintainer, signal) => {
    const sealed = await maintainer.newest(name, signal);
    const endpoints = (await maintainer.status(name, sealed, signal)).filter(({ commit }) => commit !== undefined);
    if (endpoints.length === 0) throw new MaintainerError('NO_COMMITS', `No endpoint of ${name} has a commit.`);
    const results = [];
    for (const endpoint of endpoints) {
      const from = endpoint.commit!;
      const to = text === undefined ? await goBack(maintainer, from, count(flags.back!), signal) : commitOf(text);
      const { commit, root } = await maintainer.rollBack(name, endpoint, { from, to }, signal);
      results.push({ endpoint: endpoint.peer, commit: commit.toString(), root: root.toString(), to: to.toString() });
    }
    if (flags.json) console.log(JSON.stringify(results));
    else
      for (const { commit, root, to } of results) console.log(`The state is as after ${to}: ${root}\nCommit ${commit}`);
  });
}

export async function exportService(name: string, file: string, flags: ServiceFlags): Promise<void> {
  await withMaintainer({ dataDir: flags.data }, async (maintainer, signal) => {
    const sealed = await maintainer.newest(name, signal);
    const endpoints = await maintainer.status(name, sealed, signal);
    const source = endpoints.find(({ accepted, root }) => accepted && root !== undefined);
    if (source?.root === undefined) {
      const why = endpoints.map(({ peer, error }) => `${peer}: ${error?.message ?? 'serves another descriptor'}`);
      throw new MaintainerError('NOTHING_ACCEPTED', `No endpoint serves ${name}. ${why.join('; ')}`);
    }
    const { libp2p, bitswap } = maintainer.node;
    const { record } = await askAbout(libp2p, peerIdFromString(source.peer), sealed.descriptor.name, signal);
    const { root, commit } = source;
    const written = await writeArchive(
      file,
      { record, descriptor: sealed, root, commit },
      (cid, from) => bitswap.get(cid, from),
      signal,
    );
    const { cid, blocks, bytes } = written;
    const json = {
      file,
      cid: cid.toString(),
      blocks,
      bytes,
      root: root.toString(),
      commit: commit?.toString() ?? null,
    };
    console.log(
      flags.json ? JSON.stringify(json) : `Wrote ${file}: ${blocks} blocks, ${bytes} bytes, state ${json.root}`,
    );
  });
}

export async function importService(
  name: string,
  file: string,
  flags: ServiceFlags & { endpoint?: string[] },
): Promise<void> {
  // An archive may be larger than memory.
  const blocksDir = await mkdtemp(join(tmpdir(), 'workswap-import-'));
  try {
    await withMaintainerAlone({ dataDir: flags.data, blocksDir }, async (maintainer, signal) => {
      const service = await maintainer.nameOf(name);
      const { archive, descriptor } = await readArchive(file, maintainer.node.blockstore, signal);
      if (descriptor.descriptor.name !== service) {
        throw new MaintainerError(
          'ARCHIVE_INVALID',
          `${file} is the archive of ${descriptor.descriptor.name}, and the key "${name}" is that of ${service}.`,
        );
      }
      const commit = archive.commit ?? undefined;
      printPublished(name, await maintainer.move(name, descriptor, commit, flags.endpoint, signal), flags.json);
    });
  } finally {
    await rm(blocksDir, { recursive: true, force: true });
  }
}

async function changesOf(maintainer: Maintainer, flags: ChangeFlags): Promise<ServiceChanges> {
  const changes: ServiceChanges = {};
  if (flags.handler !== undefined) changes.handler = await contentOf(maintainer, flags.handler, 'file');
  if (flags.site === false) changes.site = undefined;
  else if (flags.site !== undefined) changes.site = await contentOf(maintainer, flags.site, 'directory');
  if (flags.endpoint !== undefined) changes.endpoints = flags.endpoint;
  if (flags.sponsor !== undefined) changes.sponsor = flags.sponsor;
  return changes;
}

/** What the user names: a CID, or a path that becomes blocks of ours. */
async function contentOf(maintainer: Maintainer, text: string, kind: 'file' | 'directory'): Promise<CID> {
  const found = await stat(text).catch(() => undefined);
  if (found === undefined) {
    const cid = parseCid(text);
    if (cid !== undefined) return cid;
    throw new UsageError(`${text} is neither a ${kind} nor a CID`);
  }
  if (kind === 'file' ? !found.isFile() : !found.isDirectory()) throw new UsageError(`${text} is not a ${kind}`);
  const cid = await importPath(text, maintainer.node.blockstore);
  if (cid === undefined) throw new UsageError(`There is nothing in ${text}`);
  return cid;
}

async function goBack(maintainer: Maintainer, from: CID, steps: number, signal: AbortSignal): Promise<CID> {
  const history = await readHistory(
    from,
    (cid, options) => maintainer.node.bitswap.get(cid, options),
    steps + 1,
    signal,
  );
  const entry = history[steps];
  if (entry !== undefined) return entry.cid;
  throw new MaintainerError(
    'UNKNOWN_COMMIT',
    `There are only ${history.length} commits; --back ${steps} is before the first.`,
  );
}

function commitOf(text: string): CID {
  const cid = parseCid(text);
  if (cid === undefined) throw new UsageError(`${text} is not the CID of a commit; "service show" lists them`);
  return cid;
}

export function publishedJson(
  name: string,
  { publication, results }: { publication: Publication; results: EndpointResult[] },
) {
  const { descriptor, cid }: SealedDescriptor = publication.sealed;
  return {
    name,
    service: publication.name,
    descriptor: cid.toString(),
    handler: descriptor.handler.toString(),
    ...(descriptor.site === undefined ? {} : { site: descriptor.site.toString() }),
    sequence: descriptor.sequence,
    endpoints: results,
  };
}

function printPublished(
  name: string,
  published: { publication: Publication; results: EndpointResult[] },
  json: boolean | undefined,
): void {
  const document = publishedJson(name, published);
  if (json) {
    console.log(JSON.stringify(document));
    return;
  }
  console.log(`${name} is published as ${document.service}`);
  for (const { peer, accepted, removed, error } of document.endpoints) {
    const what = accepted
      ? 'hosts it'
      : removed
        ? 'hosts it no more; its state is kept there'
        : `refuses: ${error?.message}`;
    console.log(`  ${peer} ${what}`);
  }
}

function endpointJson({ root, commit, messages, ...endpoint }: EndpointStatus) {
  return {
    ...endpoint,
    ...(messages === undefined ? {} : { messages: messagesJson(messages) }),
    ...(root === undefined ? {} : { root: root.toString() }),
    ...(commit === undefined ? {} : { commit: commit.toString() }),
  };
}

function endpointLine({ peer, accepted, root, commit, messages, error }: EndpointStatus): string {
  if (error !== undefined) return `endpoint    ${peer}  ${error.message}`;
  const state = root === undefined ? '' : `\n  state     ${root}\n  commit    ${commit ?? 'none'}`;
  const outbox = messages === undefined ? '' : messagesLines(messages);
  return `endpoint    ${peer}  ${accepted ? 'serves this descriptor' : 'serves another descriptor'}${state}${outbox}`;
}

function historyTable(history: { cid: CID; commit: { timeMs: number; tasks: CID[] } }[]): string {
  const nowMs = Date.now();
  return formatTable(
    ['commit', 'updates', 'age'],
    history.map(({ cid, commit }) => [cid.toString(), commit.tasks.length, formatAgo(nowMs - commit.timeMs)]),
  );
}
