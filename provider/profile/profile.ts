import { functionNames } from '../../sdk/build/index.ts';
import { Engine, InstanceCache } from '../sandbox/index.ts';
import type { Host, Instance, JobSpec, LoadedModule, Outcome } from '../sandbox/index.ts';
import { CallTree } from './call-tree.ts';
import type { CallNode } from './call-tree.ts';
import { instrument } from './instrument.ts';
import { counterMemory, hookModule } from './probe-layout.ts';
import type { SourceLine, SourceMap } from './source-map.ts';
import { spotsOf } from './sites.ts';
import type { Site } from './sites.ts';

export interface FunctionFuel {
  name: string;
  /** Burnt by itself, and together with all that it called. */
  self: number;
  total: number;
  calls: number;
}

export interface LineFuel extends SourceLine {
  fuel: number;
}

/** Chains of calls, the functions by name. */
export interface FlameNode {
  name: string;
  self: number;
  total: number;
  children: FlameNode[];
}

/** Where a job's fuel went. Functions' own fuel, and that of all lines, add up to `fuel`. */
export interface Profile {
  fuel: number;
  /** Most expensive first. */
  functions: FunctionFuel[];
  /** Empty without a source map. */
  lines: LineFuel[];
  tree: FlameNode;
  /** How the instrumented run ended. */
  outcome: Outcome;
}

/** What has no line: the compiler's own code, and where a run was cut off. */
const NO_LINE = '(no line)';

class ProbedInstances extends InstanceCache {
  readonly tree: CallTree;
  instance: Instance | undefined;

  constructor(tree: CallTree) {
    super(0);
    this.tree = tree;
  }

  override take(loaded: LoadedModule, imports: WebAssembly.Imports): Instance {
    const { enter, leave } = this.tree;
    return (this.instance = super.take(loaded, { ...imports, [hookModule]: { enter, leave } }));
  }
}

/**
 * Runs a job in an instrumented form of its module, in this thread, and tells where its fuel went. `wasm` are the bytes of
 * the module as they came, `job.module` is the same module loaded. A job that completes burns the same fuel as ever.
 */
export function profile(wasm: Uint8Array, job: JobSpec, host: Host, map?: SourceMap): Profile {
  const { bytes, sites, imports } = instrument(wasm);
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  // The first fuel is what the engine gives; a budget in bytes would make it less.
  const { budget: _, ...rest } = job;
  const instances = new ProbedInstances(new CallTree(job.limits.fuelMax));
  const outcome = new Engine(host, instances).run({ ...rest, module: { ...job.module, module, resettable: false } });
  const { instance, tree } = instances;
  const fuel = instance === undefined ? 0 : tree.end(Number(instance.fuel.value));

  const names = map !== undefined && map.names.size > 0 ? map.names : functionNames(wasm);
  const nameOf = (index: number): string => {
    if (index < 0) return 'host';
    return index < imports.length ? `host ${imports[index]}` : (names.get(index) ?? `function ${index}`);
  };
  const counters = instance?.exports[counterMemory] as WebAssembly.Memory | undefined;
  const lines =
    map === undefined || counters === undefined
      ? []
      : linesOf(spotsOf(wasm, sites, new BigInt64Array(counters.buffer)), sites, map, fuel);
  return { fuel, functions: functionsOf(tree.root, nameOf), lines, tree: named(tree.root, nameOf), outcome };
}

function functionsOf(root: CallNode, nameOf: (index: number) => string): FunctionFuel[] {
  const functions = new Map<number, FunctionFuel>();
  const open = new Set<number>();
  // Each node is met twice: on the way down, and when all below it is done.
  const work: { node: CallNode; leaving: boolean; outermost: boolean }[] = [];
  const push = (node: CallNode): void => {
    work.push({ node, leaving: false, outermost: false });
  };
  push(root);
  for (let step = work.pop(); step !== undefined; step = work.pop()) {
    const { node } = step;
    if (step.leaving) {
      if (step.outermost) open.delete(node.function);
      continue;
    }
    let entry = functions.get(node.function);
    if (entry === undefined) {
      entry = { name: nameOf(node.function), self: 0, total: 0, calls: 0 };
      functions.set(node.function, entry);
    }
    entry.self += node.self;
    entry.calls += node.calls;
    // Under itself a function is part of its own total already.
    const outermost = !open.has(node.function);
    if (outermost) {
      entry.total += node.total;
      open.add(node.function);
    }
    work.push({ node, leaving: true, outermost });
    node.children.forEach(push);
  }
  return [...functions.values()].filter(({ calls, self }) => calls > 0 || self > 0).sort((a, b) => b.self - a.self);
}

function linesOf(spots: ReturnType<typeof spotsOf>, sites: readonly Site[], map: SourceMap, fuel: number): LineFuel[] {
  // From its first site to its last: those of a function stand together, in order.
  const bounds = new Map<number, { start: number; end: number }>();
  for (const { function: index, start, end } of sites) {
    const bound = bounds.get(index);
    if (bound === undefined) bounds.set(index, { start, end });
    else bound.end = end;
  }
  const lines = new Map<string, LineFuel>();
  let rest = fuel;
  const add = (line: SourceLine, amount: number): void => {
    const key = `${line.file}:${line.line}`;
    const entry = lines.get(key) ?? { ...line, fuel: 0 };
    entry.fuel += amount;
    lines.set(key, entry);
    rest -= amount;
  };
  for (const spot of spots) {
    const { start, end } = bounds.get(spot.function) ?? { start: 0, end: 0 };
    add(map.lineOf(spot.offset, start, end) ?? { file: NO_LINE, line: 0 }, spot.fuel);
  }
  if (rest !== 0) add({ file: NO_LINE, line: 0 }, rest);
  return [...lines.values()].sort((a, b) => b.fuel - a.fuel);
}

function named(node: CallNode, nameOf: (index: number) => string): FlameNode {
  const root: FlameNode = { name: nameOf(node.function), self: node.self, total: node.total, children: [] };
  const work: [CallNode, FlameNode][] = [[node, root]];
  for (const [from, to] of work) {
    for (const child of from.children) {
      const copy = { name: nameOf(child.function), self: child.self, total: child.total, children: [] };
      to.children.push(copy);
      work.push([child, copy]);
    }
  }
  return root;
}
