import { rawCid } from '../../sdk/protocol/index.ts';
import { buildHandler } from '../../sdk/build/index.ts';
import { importPath } from '../maintainer/index.ts';
import { openProject } from '../workbench/index.ts';
import { withMaintainerAlone } from './maintainer-session.ts';
import { publishedJson } from './service-actions.ts';
import type { ServiceFlags } from './service.ts';

/** Builds a project and creates the service of its name, or updates it. */
export async function publishProject(directory: string, { data, json }: ServiceFlags): Promise<void> {
  const project = await openProject(directory);
  const { wasm } = await buildHandler(project.handler);
  await withMaintainerAlone({ dataDir: data }, async (maintainer, signal) => {
    const { blockstore } = maintainer.node;
    const handler = rawCid(wasm);
    await blockstore.put(handler, wasm);
    const site = project.site === undefined ? undefined : await importPath(project.site, blockstore);
    const isKnown = await maintainer.keys.has(project.name);
    const changes = { handler, site };
    const published = isKnown
      ? await maintainer.update(project.name, changes, signal)
      : await maintainer.create(project.name, changes, signal);
    const document = publishedJson(project.name, published);
    if (json) console.log(JSON.stringify({ cid: document.descriptor, ...document }));
    else {
      console.log(`${project.name} is ${isKnown ? 'updated' : 'published'}: ${document.service}`);
      for (const { peer, accepted, error } of document.endpoints) {
        console.log(`  ${peer} ${accepted ? 'hosts it' : `refuses: ${error?.message}`}`);
      }
    }
  });
}
