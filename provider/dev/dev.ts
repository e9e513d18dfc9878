import { join } from 'node:path';
import { BuildError } from '../../sdk/build/index.ts';
import { rawCid } from '../../sdk/protocol/index.ts';
import { DirectoryState, openProject } from '../workbench/index.ts';
import { DevServer } from './dev-server.ts';
import { DevSite } from './dev-site.ts';
import type { RequestRecord } from './records.ts';
import { ReloadHub } from './reload.ts';
import { watchProject } from './watch.ts';

export interface DevEvents {
  built(build: { bytes: number; cid: string; diagnostics: string; reloads: number }): void;
  buildFailed(error: BuildError): void;
  request(record: RequestRecord): void;
}

export interface Dev {
  url: string;
  close(): Promise<void>;
}

export interface DevOptions {
  directory: string;
  /** 0 takes a free one. */
  port: number;
  /** A directory of blocks that the handler may read by CID. */
  blocks?: string;
  events: DevEvents;
}

/**
 * Serves a project at localhost: builds it when it changes, tells open pages to reload, keeps its state in
 * `.workswap/state`.
 *
 * @throws ProjectError when there is no project
 */
export async function startDev({ directory, port, blocks, events }: DevOptions): Promise<Dev> {
  const project = await openProject(directory);
  const state = await DirectoryState.open(join(project.directory, '.workswap', 'state'));
  const site = await DevSite.open(project, state, blocks);
  const hub = new ReloadHub();
  const stop = new AbortController();
  let failure = '';
  const buildFailed = (error: BuildError): void => {
    // One report for one state of the sources, however many requests meet it.
    if (error.message !== failure) events.buildFailed(error);
    failure = error.message;
  };
  const build = async (): Promise<void> => {
    try {
      const { build: done } = await site.build(stop.signal);
      failure = '';
      const { wasm, diagnostics } = done;
      events.built({ bytes: wasm.length, cid: rawCid(wasm).toString(), diagnostics, reloads: hub.count });
    } catch (error) {
      if (stop.signal.aborted) return;
      if (!(error instanceof BuildError)) throw error;
      buildFailed(error);
    }
  };
  const server = new DevServer(site, hub, { request: events.request, buildFailed });
  try {
    const bound = await server.listen(port);
    watchProject(project, () => void build().then(() => hub.reload()), stop.signal);
    await build();
    return {
      url: `http://localhost:${bound}/`,
      async close() {
        stop.abort(new Error('workswap dev stops'));
        await server.close();
        await site.close();
        await state.written();
      },
    };
  } catch (error) {
    await site.close();
    throw error;
  }
}
