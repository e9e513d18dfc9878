import { Event } from './events.ts';
import type { Events, FunctionFacts } from './events.ts';
import { signature } from './module.ts';
import type { Module } from './module.ts';

export interface CallGraph {
  /** Nodes: functions, then one for each type that an indirect call can name. */
  functionCount: number;
  nodeCount: number;
  edgeStart: Int32Array;
  edges: Int32Array;
  /** Component of each node; components are numbered callees first. */
  component: Int32Array;
  componentCount: number;
  /** 1 for a node that can call itself, by whatever way. */
  cyclic: Uint8Array;
  /** Type indices of equal structure share a number. */
  canonicalType: Int32Array;
  /** 1 for a function that a table or a reference can name. */
  addressTaken: Uint8Array;
}

export function buildCallGraph(module: Module, events: Events, facts: readonly FunctionFacts[]): CallGraph {
  const functionCount = module.functions.length;
  const canonicalType = canonicalTypes(module);
  const nodeCount = functionCount + module.types.length;
  const addressTaken = new Uint8Array(functionCount);
  const from: number[] = [];
  const to: number[] = [];

  for (const segment of module.elements) for (const { index } of segment.functions) addressTaken[index] = 1;
  for (const global of module.globals) for (const { index } of global.functions) addressTaken[index] = 1;
  // An exported function is also a declared reference, but only ref.func in code makes one of it.
  for (const [body, { first, last }] of facts.entries()) {
    const caller = module.imports.length + body;
    for (let e = first; e < last; e++) {
      const target = events.arg[e] as number;
      switch (events.kind[e]) {
        case Event.call:
        case Event.returnCall:
          from.push(caller);
          to.push(target);
          break;
        case Event.callIndirect:
        case Event.returnCallIndirect:
          from.push(caller);
          to.push(functionCount + (canonicalType[target] as number));
          break;
        case Event.refFunc:
          addressTaken[target] = 1;
          break;
      }
    }
  }
  for (let index = 0; index < functionCount; index++) {
    if (addressTaken[index] === 0) continue;
    from.push(functionCount + (canonicalType[module.functions[index] as number] as number));
    to.push(index);
  }

  const edgeStart = new Int32Array(nodeCount + 1);
  for (const node of from) edgeStart[node + 1] = (edgeStart[node + 1] as number) + 1;
  for (let node = 0; node < nodeCount; node++) {
    edgeStart[node + 1] = (edgeStart[node + 1] as number) + (edgeStart[node] as number);
  }
  const edges = new Int32Array(from.length);
  const fill = edgeStart.slice();
  for (let index = 0; index < from.length; index++) {
    const node = from[index] as number;
    edges[fill[node] as number] = to[index] as number;
    fill[node] = (fill[node] as number) + 1;
  }
  const { component, componentCount, cyclic } = components(nodeCount, edgeStart, edges);
  return {
    functionCount,
    nodeCount,
    edgeStart,
    edges,
    component,
    componentCount,
    cyclic,
    canonicalType,
    addressTaken,
  };
}

function canonicalTypes(module: Module): Int32Array {
  const canonical = new Int32Array(module.types.length);
  const seen = new Map<string, number>();
  for (const [index, type] of module.types.entries()) {
    const key = `${signature(type.params)}>${signature(type.results)}`;
    const known = seen.get(key);
    if (known === undefined) seen.set(key, index);
    canonical[index] = known ?? index;
  }
  return canonical;
}

/** Tarjan's strongly connected components, without recursion: call chains may be as long as the module. */
function components(
  nodeCount: number,
  edgeStart: Int32Array,
  edges: Int32Array,
): { component: Int32Array; componentCount: number; cyclic: Uint8Array } {
  const component = new Int32Array(nodeCount).fill(-1);
  const order = new Int32Array(nodeCount).fill(-1);
  const low = new Int32Array(nodeCount);
  const nextEdge = edgeStart.slice(0, nodeCount);
  const cyclic = new Uint8Array(nodeCount);
  const stack = new Int32Array(nodeCount);
  const path = new Int32Array(nodeCount);
  let stackLength = 0;
  let pathLength = 0;
  let visited = 0;
  let componentCount = 0;

  for (let root = 0; root < nodeCount; root++) {
    if (order[root] !== -1) continue;
    path[pathLength++] = root;
    while (pathLength > 0) {
      const node = path[pathLength - 1] as number;
      if (order[node] === -1) {
        order[node] = low[node] = visited++;
        stack[stackLength++] = node;
      }
      const edge = nextEdge[node] as number;
      if (edge < (edgeStart[node + 1] as number)) {
        nextEdge[node] = edge + 1;
        const target = edges[edge] as number;
        if (target === node) cyclic[node] = 1;
        if (order[target] === -1) path[pathLength++] = target;
        else if (component[target] === -1) low[node] = Math.min(low[node] as number, order[target] as number);
        continue;
      }
      pathLength--;
      if (pathLength > 0) {
        const parent = path[pathLength - 1] as number;
        low[parent] = Math.min(low[parent] as number, low[node] as number);
      }
      if (low[node] !== order[node]) continue;
      const several = stack[stackLength - 1] !== node;
      for (;;) {
        const member = stack[--stackLength] as number;
        component[member] = componentCount;
        if (several) cyclic[member] = 1;
        if (member === node) break;
      }
      componentCount++;
    }
  }
  return { component, componentCount, cyclic };
}
