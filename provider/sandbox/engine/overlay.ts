import { compareNames } from '../abi/state-path.ts';

/** A file that the job wrote. */
export interface OverlayFile {
  content: Uint8Array;
  /** What the job started from is removed at this path. */
  replaces: boolean;
}

/**
 * A directory in which the job changed something. One that `replaces` and holds nothing is how a removed file or
 * directory is kept in mind.
 */
export class OverlayDirectory {
  replaces: boolean;
  /** It is there until the job ends, whether or not a file is in it. */
  isKept = false;
  /** Files written and directories kept, here and below. */
  own = 0;
  /** Removals below. */
  removed = 0;
  readonly entries = new Map<string, OverlayNode>();
  /** In order. */
  readonly names: string[] = [];
  /** The first name of what the job started from that was left when it was last looked for: none before it is. */
  firstLeft = '';

  constructor(replaces: boolean) {
    this.replaces = replaces;
  }

  set(name: string, node: OverlayNode): void {
    if (!this.entries.has(name)) this.names.splice(this.indexBehind(name), 0, name);
    this.entries.set(name, node);
  }

  delete(name: string): void {
    if (this.entries.delete(name)) this.names.splice(this.indexBehind(name) - 1, 1);
  }

  /** How many names are not behind this one; every name is behind the empty one. */
  indexBehind(name: string): number {
    let low = 0;
    let high = this.names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareNames(this.names[middle]!, name) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export type OverlayNode = OverlayFile | OverlayDirectory;

/** The tree of what a job changed. It knows nothing of what is below. */
export class Overlay {
  readonly root = new OverlayDirectory(false);

  /** What the job made of a path, and whether nothing of what it started from is to be seen there. */
  find(path: string): { node: OverlayNode | undefined; isHidden: boolean } {
    let node: OverlayNode = this.root;
    let isHidden = false;
    if (path === '') return { node, isHidden };
    for (const name of path.split('/')) {
      // Below a file there is nothing.
      if (!(node instanceof OverlayDirectory)) return { node: undefined, isHidden: true };
      const child: OverlayNode | undefined = node.entries.get(name);
      if (child === undefined) return { node: undefined, isHidden };
      isHidden ||= child.replaces;
      node = child;
    }
    return { node, isHidden };
  }

  write(path: string, content: Uint8Array): void {
    this.#put(path, (before) => {
      const isEmptied = before instanceof OverlayDirectory && before.removed > 0;
      return { content, replaces: isEmptied || (before?.replaces ?? false) };
    });
  }

  /** @param wasThere the job started with something at this path that could be seen until now */
  remove(path: string, wasThere: boolean): void {
    this.#put(path, (before) => {
      const replaces = wasThere || (before?.replaces ?? false);
      return replaces ? new OverlayDirectory(true) : undefined;
    });
  }

  keepDirectory(path: string): void {
    this.#put(path, (before) => {
      const node = before instanceof OverlayDirectory ? before : new OverlayDirectory(before?.replaces ?? false);
      node.own += node.isKept ? 0 : 1;
      node.isKept = true;
      return node;
    });
  }

  *changes(): Generator<{ path: string; node: OverlayNode }> {
    yield* changesIn(this.root, '');
  }

  #put(path: string, make: (before: OverlayNode | undefined) => OverlayNode | undefined): void {
    const names = path.split('/');
    const last = names.pop()!;
    const above = [this.root];
    let parent = this.root;
    for (const name of names) {
      const child = parent.entries.get(name);
      const directory = child instanceof OverlayDirectory ? child : new OverlayDirectory(false);
      if (directory !== child) parent.set(name, directory);
      above.push(directory);
      parent = directory;
    }
    const before = parent.entries.get(last);
    const [own, removed] = countsOf(before);
    const after = make(before);
    if (after === undefined) parent.delete(last);
    else parent.set(last, after);
    const [ownNow, removedNow] = countsOf(after);
    for (const directory of above) {
      directory.own += ownNow - own;
      directory.removed += removedNow - removed;
    }
  }
}

function countsOf(node: OverlayNode | undefined): [own: number, removed: number] {
  if (node === undefined) return [0, 0];
  const here = node.replaces ? 1 : 0;
  return node instanceof OverlayDirectory ? [node.own, node.removed + here] : [1, here];
}

function* changesIn(directory: OverlayDirectory, prefix: string): Generator<{ path: string; node: OverlayNode }> {
  for (const [name, node] of directory.entries) {
    const path = prefix + name;
    yield { path, node };
    if (node instanceof OverlayDirectory) yield* changesIn(node, `${path}/`);
  }
}
