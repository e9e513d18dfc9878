import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { CID } from 'multiformats/cid';
import type { Command } from 'commander';
import { defaultDirectory } from '../config.ts';
import { openBlockstore } from '../store/index.ts';
import { UnreachableError } from '../../sdk/client/errors.ts';
import { UsageError } from './errors.ts';
import { blocksDirectory } from './session.ts';

interface PublishFlags {
  data?: string;
  json?: boolean;
}

export function addPublish(program: Command): Command {
  return program
    .command('publish')
    .description(
      'Publish a project as a service: build it, and create or update the service of its name. Of any other file or directory: add it to the block store and print its CID.',
    )
    .argument('<path>', 'project, file or directory')
    .option(
      '--data <DIR>',
      `the node's directory. Default: ${defaultDirectory('provider')} for a project, else ${defaultDirectory('consumer')}`,
    )
    .option('--json', 'print {"cid"}; for a project what "service create" prints, with the descriptor as "cid"')
    .addHelpText(
      'after',
      `
Examples:
  workswap publish my-site/        a project made by "workswap new": needs a running provider
  workswap publish hello.wasm
  workswap publish images/ --data ~/.workswap/provider`,
    )
    .action(publish);
}

async function publish(path: string, { data, json }: PublishFlags): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new UsageError(`There is no file or directory ${path}`);
  const isProject =
    found.isDirectory() && (await stat(join(path, 'workswap.json')).catch(() => undefined)) !== undefined;
  if (isProject) {
    const { publishProject } = await import('./publish-project.ts');
    await publishProject(path, { data: data ?? defaultDirectory('provider'), ...(json ? { json } : {}) });
    return;
  }
  const { importPath } = await import('../maintainer/index.ts');
  const cid = await importPath(path, await openBlockstore(blocksDirectory(data ?? defaultDirectory('consumer'))));
  if (cid === undefined) throw new UsageError(`${path} has nothing to publish`);
  if (data !== undefined) await keepPublished(data, cid, basename(path));
  console.log(json ? JSON.stringify({ cid: cid.toString() }) : cid.toString());
}

/** In a provider's directory what is published is pinned, or it would be garbage there. */
async function keepPublished(data: string, cid: CID, name: string): Promise<void> {
  if (!existsSync(join(data, 'pins.sqlite'))) return;
  const request = { cid: cid.toString(), name: [...name].slice(0, 255).join(''), origins: [], meta: {} };
  const { withPins } = await import('./pin-session.ts');
  try {
    await withPins({ data, home: '' }, async ({ ask }) => void (await ask({ ask: 'add', pin: request })));
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    // It does not run: it will find the pin when it starts.
    const [{ addPinOffline }, { loadMaintainerKey }, { peerIdFromPrivateKey }] = await Promise.all([
      import('../pinning/index.ts'),
      import('../maintainer/index.ts'),
      import('@libp2p/peer-id'),
    ]);
    addPinOffline(data, peerIdFromPrivateKey(await loadMaintainerKey(data)).toString(), request);
  }
}
