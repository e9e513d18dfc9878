import { buildCallGraph } from './callgraph.ts';
import type { CallGraph } from './callgraph.ts';
import { entryCost, localsPerUnit } from './costs.ts';
import { Event } from './events.ts';
import type { Events, FunctionFacts } from './events.ts';
import { FlowAnalyzer } from './flow.ts';
import type { Charges } from './flow.ts';
import { moduleLimit } from './errors.ts';
import type { MeterLimits } from './limits.ts';
import { ValueType } from './module.ts';
import type { FunctionType, Module } from './module.ts';

/** Where a function keeps the fuel while it runs. */
export const Keep = {
  /** It costs the same on every way through: its callers pay, and it knows nothing of fuel. */
  caller: 0,
  /** In the exported global. */
  global: 1,
  /** In a local of its own, written back around calls. */
  local: 2,
  /** In an extra parameter, handed back as an extra result: a register all the way. */
  parameter: 3,
} as const;

/** The dearest function that its callers may pay for, so that a stretch without a check stays short. */
export const callerPaysMax = 1_000;
/** Functions that cost no more than this between two checks need none at their entry. */
export const uncheckedCostMax = 1_000;

/** Bytes of stack, as this meter counts them, that functions on cycles of the call graph may hold together. */
export const stackBytesMax = 512 * 1024;
/** Bytes of stack that all other functions may hold together along their longest chain; beyond it all are counted. */
export const chainBytesMax = 128 * 1024;
/** Bytes of one frame, without the values that an engine may keep. */
export const frameBytesMax = 64 * 1024;

export interface Plan {
  graph: CallGraph;
  charges: Charges;
  /** True when fuel goes through parameters and results. */
  byParameter: boolean;
  /** Of every function, by index; meaningless for imports. */
  keep: Uint8Array;
  /** Due at the entry, paid there unless the callers pay. */
  entryDue: Float64Array;
  /** What callers pay, or -1. Imports cost nothing beyond the call itself. */
  callerPays: Float64Array;
  checkEntry: Uint8Array;
  /** Bytes of stack of one call, for functions that count them. 0 for the others. */
  stackBytes: Float64Array;
  /** 1 for functions that take the stack left as a parameter. */
  takesStack: Uint8Array;
  /** By canonical type: 1 when functions called through a table with that type take it. */
  typeTakesStack: Uint8Array;
}

/**
 * Fuel can go through parameters only where no one outside can call, or hand in, a function in its inner form: with a
 * table or a function reference across the border a caller could forge the fuel.
 */
export function allowsParameters(module: Module): boolean {
  const crosses = (types: readonly number[]) => types.includes(ValueType.funcref);
  for (const entry of module.exports) {
    if (entry.kind === 'table') return false;
    if (entry.kind === 'global' && module.globals[entry.index]?.type === ValueType.funcref) return false;
    if (entry.kind !== 'func') continue;
    const type = module.types[module.functions[entry.index] ?? -1];
    if (type !== undefined && (crosses(type.params) || crosses(type.results))) return false;
  }
  for (const { type: index } of module.imports) {
    const type = module.types[index];
    if (type !== undefined && (crosses(type.params) || crosses(type.results))) return false;
  }
  return true;
}

export function makePlan(
  module: Module,
  events: Events,
  facts: readonly FunctionFacts[],
  byParameter: boolean,
  limits: MeterLimits,
): Plan {
  const graph = buildCallGraph(module, events, facts);
  const count = module.functions.length;
  const imported = module.imports.length;
  const flow = new FlowAnalyzer(module.bytes, events, limits.nestingMax);
  const plan: Plan = {
    graph,
    charges: flow.charges,
    byParameter,
    keep: new Uint8Array(count),
    entryDue: new Float64Array(count),
    callerPays: new Float64Array(count).fill(-1),
    checkEntry: new Uint8Array(count),
    stackBytes: new Float64Array(count),
    takesStack: new Uint8Array(count),
    typeTakesStack: new Uint8Array(module.types.length),
  };
  planStack(module, facts, plan);

  const calleesFirst = new Int32Array(count - imported);
  for (let index = imported; index < count; index++) calleesFirst[index - imported] = index;
  calleesFirst.sort((a, b) => (graph.component[a] as number) - (graph.component[b] as number));
  const stretch = new Float64Array(count);
  const calledDirectly = directCallees(events, count);
  for (const index of calleesFirst) {
    const fact = facts[index - imported] as FunctionFacts;
    const { due, flat } = flow.analyze(fact, plan.callerPays);
    const declared = module.bodies[index - imported]?.localsDeclared ?? 0;
    const entryDue = due + entryCost + Math.floor(declared / localsPerUnit);
    plan.entryDue[index] = entryDue;
    const counted = (plan.stackBytes[index] as number) > 0;
    const { paysItself, unchecked } = inspect(events, fact, plan, stretch);
    stretch[index] = counted ? Infinity : unchecked + entryDue;
    // What is only ever called through tables would be reached by one more call, the one that pays for it.
    const behindTable = byParameter && graph.addressTaken[index] === 1 && calledDirectly[index] === 0;
    if (flat && !paysItself && !counted && !behindTable && entryDue <= callerPaysMax) {
      plan.callerPays[index] = entryDue;
      plan.keep[index] = Keep.caller;
      continue;
    }
    plan.keep[index] = byParameter ? Keep.parameter : fact.hasLoop ? Keep.local : Keep.global;
    if ((stretch[index] as number) > uncheckedCostMax) {
      plan.checkEntry[index] = 1;
      stretch[index] = 0;
    }
  }
  return plan;
}

function directCallees({ kind, arg, length }: Events, count: number): Uint8Array {
  const called = new Uint8Array(count);
  for (let e = 0; e < length; e++) {
    if (kind[e] === Event.call || kind[e] === Event.returnCall) called[arg[e] as number] = 1;
  }
  return called;
}

/** Whether a function has charges of its own beside the fixed ones, and the most it can cost between two checks. */
function inspect(
  events: Events,
  { first, last }: FunctionFacts,
  plan: Plan,
  stretch: Float64Array,
): { paysItself: boolean; unchecked: number } {
  let paysItself = false;
  let unchecked = 0;
  for (let e = first; e < last; e++) {
    unchecked += events.cost[e] as number;
    const target = events.arg[e] as number;
    switch (events.kind[e]) {
      case Event.call:
      case Event.returnCall: {
        const callerPays = plan.callerPays[target] as number;
        if (callerPays < 0) paysItself = true;
        unchecked += callerPays >= 0 ? callerPays : (stretch[target] as number);
        break;
      }
      case Event.callIndirect:
      case Event.returnCallIndirect:
        paysItself = true;
        unchecked = Infinity;
        break;
      case Event.memoryGrow:
      case Event.bulk:
        paysItself = true;
        break;
    }
  }
  return { paysItself, unchecked };
}

/**
 * Recursion must end at the same depth everywhere, but engines, and tiers of one engine, differ in how deep they go. So
 * functions that can call themselves count the bytes of their frames against one bound that lies below every engine's. All
 * others stand on the stack at most once at a time, and are counted by their longest chain beforehand. A frame holds what
 * the code names, locals and operands, and in optimised code any result that is computed once for several uses.
 */
function planStack(module: Module, facts: readonly FunctionFacts[], plan: Plan): void {
  const { graph } = plan;
  const imported = module.imports.length;
  const slotBytes = module.features.has('simd') ? 16 : 8;
  const frame = (index: number): number => {
    const fact = facts[index - imported];
    if (fact === undefined) return 0;
    const type = module.types[module.functions[index] as number] as FunctionType;
    const { localsDeclared = 0, start } = module.bodies[index - imported] ?? {};
    const named = 96 + (type.params.length + type.results.length + localsDeclared + fact.operandsMax) * slotBytes;
    if (named > frameBytesMax) throw moduleLimit('frameBytesMax', named, frameBytesMax, start);
    return named + fact.values * slotBytes;
  };
  const bytes = new Float64Array(graph.nodeCount);
  let longest = 0;
  for (let index = 0; index < graph.functionCount; index++) {
    bytes[index] = frame(index);
  }
  const chain = new Float64Array(graph.componentCount);
  forEachNodeCalleesFirst(graph, (node) => {
    const own = graph.cyclic[node] ? 0 : (bytes[node] as number);
    const c = graph.component[node] as number;
    for (let edge = graph.edgeStart[node] as number; edge < (graph.edgeStart[node + 1] as number); edge++) {
      const below = graph.component[graph.edges[edge] as number] as number;
      if (below !== c) chain[c] = Math.max(chain[c] as number, (chain[below] as number) + own);
    }
    chain[c] = Math.max(chain[c] as number, own);
    longest = Math.max(longest, chain[c] as number);
  });

  const countAll = longest > chainBytesMax;
  for (let index = imported; index < graph.functionCount; index++) {
    if (countAll || graph.cyclic[index]) plan.stackBytes[index] = bytes[index] as number;
  }
  if (plan.byParameter) planStackParameters(module, plan, countAll);
}

/** The stack left is handed down as a parameter to the functions that count it and to those that stand between them. */
function planStackParameters(module: Module, plan: Plan, countAll: boolean): void {
  const { graph, takesStack, typeTakesStack } = plan;
  const imported = module.imports.length;
  const reaches = new Uint8Array(graph.componentCount);
  const reached = new Uint8Array(graph.componentCount);
  const edgesOf = (node: number, visit: (target: number) => void): void => {
    for (let edge = graph.edgeStart[node] as number; edge < (graph.edgeStart[node + 1] as number); edge++) {
      visit(graph.component[graph.edges[edge] as number] as number);
    }
  };
  const order: number[] = [];
  forEachNodeCalleesFirst(graph, (node) => {
    order.push(node);
    const c = graph.component[node] as number;
    if (graph.cyclic[node]) reaches[c] = 1;
    edgesOf(node, (target) => {
      if (reaches[target]) reaches[c] = 1;
    });
  });
  for (const node of order.reverse()) {
    const c = graph.component[node] as number;
    if (graph.cyclic[node]) reached[c] = 1;
    if (reached[c]) edgesOf(node, (target) => (reached[target] = 1));
  }
  for (let index = imported; index < graph.functionCount; index++) {
    const c = graph.component[index] as number;
    if (countAll || graph.cyclic[index] || (reaches[c] && reached[c])) takesStack[index] = 1;
  }
  // A call through a table does not know which function it reaches: all of that type must look alike.
  const typeOf = (index: number) => graph.canonicalType[module.functions[index] as number] as number;
  for (let index = imported; index < graph.functionCount; index++) {
    if (graph.addressTaken[index] && takesStack[index]) typeTakesStack[typeOf(index)] = 1;
  }
  for (let index = imported; index < graph.functionCount; index++) {
    if (graph.addressTaken[index] && typeTakesStack[typeOf(index)]) takesStack[index] = 1;
  }
}

function forEachNodeCalleesFirst(graph: CallGraph, visit: (node: number) => void): void {
  const nodes = new Int32Array(graph.nodeCount);
  for (let node = 0; node < graph.nodeCount; node++) nodes[node] = node;
  nodes.sort((a, b) => (graph.component[a] as number) - (graph.component[b] as number));
  for (const node of nodes) visit(node);
}
