/** Beyond so many different chains of calls, deeper ones count for the chain they start from. */
const NODES_MAX = 100_000;

export interface CallNode {
  /** Index in the module as it came; -1 for the host that calls the handler. */
  function: number;
  /** Fuel burnt by itself, and together with all that it called. */
  self: number;
  total: number;
  calls: number;
  children: CallNode[];
}

/**
 * Fuel by chain of calls. Each hook hands in the fuel that is left, and what went since the last one belongs to the chain
 * that ran meanwhile: nothing can be lost or counted twice.
 */
export class CallTree {
  readonly root: CallNode = nodeOf(-1);
  private readonly stack: CallNode[] = [this.root];
  private readonly fuelMax: number;
  private last: number;
  private nodes = 0;

  constructor(fuelMax: number) {
    this.fuelMax = fuelMax;
    this.last = fuelMax;
  }

  readonly enter = (index: number, fuel: number): void => {
    const top = this.settle(fuel);
    let child = top.children.find((node) => node.function === index);
    if (child === undefined && this.nodes < NODES_MAX) {
      child = nodeOf(index);
      top.children.push(child);
      this.nodes++;
    }
    if (child !== undefined) child.calls++;
    this.stack.push(child ?? top);
  };

  readonly leave = (fuel: number): void => {
    this.settle(fuel);
    this.stack.pop();
  };

  /** When the run is over: sums up, and answers the fuel that was burnt. */
  end(fuelLeft: number): number {
    this.settle(Math.max(0, fuelLeft));
    addUp(this.root);
    return this.fuelMax - Math.max(0, fuelLeft);
  }

  private settle(fuel: number): CallNode {
    const top = this.stack[this.stack.length - 1] as CallNode;
    top.self += this.last - fuel;
    this.last = fuel;
    return top;
  }
}

function nodeOf(index: number): CallNode {
  return { function: index, self: 0, total: 0, calls: 0, children: [] };
}

/** Without recursion: chains can be as deep as the handler's calls. */
function addUp(root: CallNode): void {
  const order = [root];
  for (const node of order) order.push(...node.children);
  for (const node of order.reverse()) {
    node.total = node.children.reduce((sum, child) => sum + child.total, node.self);
  }
}
