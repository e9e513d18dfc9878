import { CID } from 'multiformats/cid';
import { buildHandler } from '../../sdk/build/index.ts';
import type { Build } from '../../sdk/build/index.ts';
import type { CallRequest } from '../../sdk/client/index.ts';
import { profile, ProfileFilesError, SourceMap, withFiles } from '../profile/index.ts';
import type { Profile } from '../profile/index.ts';
import { createNodeHost } from '../sandbox/index.ts';
import { openFile } from '../store/index.ts';
import { HandlerRunner, isQuery } from '../workbench/index.ts';
import type { DirectoryState, Project } from '../workbench/index.ts';
import { Records } from './records.ts';
import type { RequestRecord } from './records.ts';

/** Who visitors are in `workswap dev`, where nobody has a key. */
const CALLER = 'dev';

/** A project as it stands on disk, built when its sources have changed, with a state that stays. */
export class DevSite {
  readonly project: Project;
  readonly state: DirectoryState;
  readonly records = new Records();
  readonly #runner: HandlerRunner;
  #current: { handler: CID; build: Build } | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(project: Project, state: DirectoryState, runner: HandlerRunner) {
    this.project = project;
    this.state = state;
    this.#runner = runner;
  }

  static async open(project: Project, state: DirectoryState, blocks: string | undefined): Promise<DevSite> {
    return new DevSite(project, state, await HandlerRunner.open(blocks));
  }

  /** Builds what has changed. @throws BuildError with every problem's file and line */
  async build(signal?: AbortSignal): Promise<{ handler: CID; build: Build }> {
    const options = signal === undefined ? {} : { signal };
    const build = await buildHandler(this.project.handler, { sourceMap: true, ...options });
    const handler = this.#runner.addBlock(build.wasm);
    const before = this.#current;
    if (before !== undefined && !before.handler.equals(handler)) this.#runner.removeBlock(before.handler);
    return (this.#current = { handler, build });
  }

  /** Asks the handler. Updates run one after the other, queries beside each other. @throws BuildError */
  async run(request: CallRequest & { method: string }, signal: AbortSignal): Promise<RequestRecord> {
    const { handler } = await this.build(signal);
    const run = async (): Promise<RequestRecord> => {
      const result = await this.#runner.run(handler, { request, caller: CALLER, state: this.state, signal });
      await this.state.written();
      return this.records.add({ method: request.method, path: request.path ?? '/', handler, result });
    };
    if (isQuery(request.method)) return run();
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Runs a request's job again, instrumented, on the state as it is now. Undefined when the handler is not the one of then any more. */
  async profile({ handler, result }: RequestRecord): Promise<Profile | undefined> {
    const current = this.#current;
    if (current === undefined || !current.handler.equals(handler)) return undefined;
    const { wasm, sourceMap } = current.build;
    const map = sourceMap === undefined ? undefined : new SourceMap(sourceMap);
    return withFiles(
      (files) => profile(wasm, result.job, { ...createNodeHost(files), state: this.state }, map),
      async (cid, bytesMax) => {
        const file = await openFile(CID.decode(cid), this.#runner.engine.getBlock);
        if (file.size > bytesMax) throw new ProfileFilesError();
        return file.read(0, file.size);
      },
    );
  }

  close(): Promise<void> {
    return this.#runner.close();
  }
}
