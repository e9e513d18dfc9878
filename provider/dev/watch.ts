import { watch } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PROJECT_FILE } from '../workbench/index.ts';
import type { Project } from '../workbench/index.ts';
import { DEV_LIMITS } from './limits.ts';

/** Calls `changed` after every burst of changes to a project's sources or its site, until the signal is aborted. */
export function watchProject(project: Project, changed: () => void, signal: AbortSignal): void {
  let timer: NodeJS.Timeout | undefined;
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(changed, DEV_LIMITS.settleMs);
  };
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  const directories = [dirname(project.handler), ...(project.site === undefined ? [] : [project.site])];
  for (const directory of directories) void follow(directory, true, soon, signal);
  void follow(join(project.directory, PROJECT_FILE), false, soon, signal);
}

async function follow(path: string, recursive: boolean, soon: () => void, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of watch(path, { recursive, signal })) soon();
  } catch {
    // Aborted, or not there: a request builds what has changed all the same.
  }
}
