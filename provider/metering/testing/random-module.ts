import { Writer } from '../writer.ts';

/**
 * Random valid modules, made to be hard on control flow: nested loops with and without counters, branches that carry
 * values, tables of branches, unreachable code, recursion, indirect and tail calls, block parameters.
 */
export interface RandomModule {
  bytes: Uint8Array;
  exports: { name: string; params: number[]; results: number[] }[];
}

const i32 = 0x7f;
const i64 = 0x7e;
const f64 = 0x7c;
const numberTypes = [i32, i32, i32, i64, f64];

export type Random = () => number;

/** A small generator of numbers in [0, 1) that is the same everywhere. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

interface Signature {
  params: number[];
  results: number[];
}

interface Label {
  /** What a branch to it carries. */
  carries: number[];
}

class ModuleMaker {
  readonly random: Random;
  readonly types: Signature[] = [];
  readonly functions: number[] = [];
  readonly globals: { type: number; mutable: boolean }[] = [];
  readonly importCount: number;
  readonly hasPassive: boolean;
  tableSize = 0;

  constructor(random: Random) {
    this.random = random;
    this.importCount = this.below(3);
    this.hasPassive = this.chance(0.5);
  }

  below(count: number): number {
    return Math.floor(this.random() * count);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  someTypes(max: number): number[] {
    return Array.from({ length: this.below(max + 1) }, () => this.pick(numberTypes));
  }

  typeIndex(params: number[], results: number[]): number {
    const known = this.types.findIndex(
      (type) => type.params.join() === params.join() && type.results.join() === results.join(),
    );
    if (known >= 0) return known;
    return this.types.push({ params, results }) - 1;
  }

  make(): RandomModule {
    for (let count = 2 + this.below(4); count > 0; count--) this.typeIndex(this.someTypes(3), this.someTypes(2));
    this.typeIndex([], [i32]);
    const signatures = this.types.length;
    const bodyCount = 2 + this.below(6);
    for (let count = this.importCount + bodyCount; count > 0; count--) this.functions.push(this.below(signatures));
    for (let count = 1 + this.below(4); count > 0; count--) {
      this.globals.push({ type: this.pick(numberTypes), mutable: this.chance(0.8) });
    }
    this.tableSize = 1 + this.below(6);
    const bodies = Array.from({ length: bodyCount }, (_, index) =>
      new BodyMaker(this, this.types[this.functions[this.importCount + index] as number] as Signature).make(),
    );
    const start = this.chance(0.2) ? this.startFunction() : -1;
    return { bytes: this.encode(bodies, start), exports: this.exported() };
  }

  startFunction(): number {
    return this.functions.findIndex((type, index) => {
      const { params, results } = this.types[type] as Signature;
      return index >= this.importCount && params.length === 0 && results.length === 0;
    });
  }

  exported(): RandomModule['exports'] {
    return this.functions.slice(this.importCount).map((type, index) => ({
      name: `f${index}`,
      ...(this.types[type] as Signature),
    }));
  }

  encode(bodies: Writer[], start: number): Uint8Array {
    const out = new Writer();
    out.put(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    const section = (id: number, count: number, entry: (content: Writer, index: number) => void): void => {
      if (count === 0) return;
      const content = new Writer();
      content.u32(count);
      for (let index = 0; index < count; index++) entry(content, index);
      out.section(id, content);
    };
    section(1, this.types.length, (content, index) => {
      const { params, results } = this.types[index] as Signature;
      content.put(0x60, params.length, ...params, results.length, ...results);
    });
    section(2, this.importCount, (content, index) => {
      content.name('env');
      content.name(`i${index}`);
      content.put(0, this.functions[index] as number);
    });
    section(3, bodies.length, (content, index) => content.u32(this.functions[this.importCount + index] as number));
    section(4, 1, (content) => content.put(0x70, 0, this.tableSize));
    section(5, 1, (content) => content.put(1, 1, 3));
    section(6, this.globals.length, (content, index) => {
      const { type, mutable } = this.globals[index] as (typeof this.globals)[number];
      content.put(type, mutable ? 1 : 0);
      constant(content, type, index);
      content.byte(0x0b);
    });
    section(7, bodies.length + 1 + this.globals.length, (content, index) => {
      if (index === 0) {
        content.name('memory');
        content.put(2, 0);
      } else if (index <= bodies.length) {
        content.name(`f${index - 1}`);
        content.byte(0);
        content.u32(this.importCount + index - 1);
      } else {
        content.name(`g${index - 1 - bodies.length}`);
        content.put(3, index - 1 - bodies.length);
      }
    });
    if (start >= 0) {
      const content = new Writer();
      content.u32(start);
      out.section(8, content);
    }
    section(9, 1, (content) => {
      content.put(0, 0x41, 0, 0x0b);
      const filled = this.below(this.tableSize + 1);
      content.u32(filled);
      for (let index = 0; index < filled; index++) content.u32(this.below(this.functions.length));
    });
    if (this.hasPassive) {
      const content = new Writer();
      content.u32(1);
      out.section(12, content);
    }
    section(10, bodies.length, (content, index) => {
      const body = bodies[index] as Writer;
      content.u32(body.length);
      content.append(body);
    });
    if (this.hasPassive) section(11, 1, (content) => content.put(1, 5, 1, 2, 3, 4, 5));
    return out.take();
  }
}

function constant(out: Writer, type: number, value: number): void {
  if (type === i32) {
    out.byte(0x41);
    out.signed(value);
  } else if (type === i64) {
    out.byte(0x42);
    out.signed(value);
  } else {
    out.byte(0x44);
    const bytes = new Uint8Array(new Float64Array([value]).buffer);
    out.copy(bytes, 0, 8);
  }
}

class BodyMaker {
  readonly module: ModuleMaker;
  readonly signature: Signature;
  readonly locals: number[];
  readonly out = new Writer();
  readonly labels: Label[];
  budget: number;

  constructor(module: ModuleMaker, signature: Signature) {
    this.module = module;
    this.signature = signature;
    // The last two declared locals are loop counters.
    this.locals = [...signature.params, ...module.someTypes(5), i32, i32];
    this.labels = [{ carries: signature.results }];
    this.budget = 10 + module.below(120);
  }

  make(): Writer {
    const { out } = this;
    const declared = this.locals.slice(this.signature.params.length);
    out.u32(declared.length);
    for (const type of declared) out.put(1, type);
    this.statements(1 + this.module.below(6));
    for (const type of this.signature.results) this.value(type);
    out.byte(0x0b);
    return out;
  }

  op(...bytes: number[]): void {
    this.budget--;
    this.out.put(...bytes);
  }

  /** Statements until one of them ends the code; answers false then. What follows it must still be valid. */
  statements(count: number): void {
    for (let index = 0; index < count && this.budget > 0; index++) this.statement();
  }

  localsOf(type: number, counters: boolean): number[] {
    const usable = counters ? this.locals.length : this.locals.length - 2;
    return this.locals.map((_, index) => index).filter((index) => index < usable && this.locals[index] === type);
  }

  statement(): void {
    const { module } = this;
    switch (module.below(22)) {
      case 0:
      case 1:
      case 2: {
        const usable = this.locals.length - 2;
        if (usable === 0) return;
        const index = module.below(usable);
        this.value(this.locals[index] as number);
        this.op(0x21, index);
        return;
      }
      case 3: {
        const index = module.globals.findIndex(({ mutable }) => mutable);
        if (index < 0) return;
        this.value(module.globals[index]?.type as number);
        this.op(0x24, index);
        return;
      }
      case 4:
        this.address();
        this.value(i32);
        this.op(0x36, 2, 4);
        return;
      case 5:
      case 6:
        return this.ifElse([]);
      case 7:
        return this.block(0x02, [], () => this.statements(3));
      case 8:
      case 9:
        return this.countedLoop();
      case 10:
        return this.block(0x03, [], () => this.statements(3));
      case 11:
      case 12:
      case 13:
        return this.conditionalBranch();
      case 14:
        return this.endOfCode();
      case 15:
        this.value(module.pick(numberTypes));
        this.op(0x1a);
        return;
      case 16:
        return this.call(module.below(module.functions.length), true);
      case 17:
        if (!module.chance(0.3)) return;
        this.value(i32);
        this.op(0x40, 0, 0x1a);
        return;
      case 18:
        return this.bulk();
      case 19:
        // A counter that goes on without end, or ends early.
        this.value(i32);
        this.op(0x21, this.locals.length - 1);
        return;
      case 20:
        return this.tightLoop();
      default:
        this.op(0x01);
    }
  }

  address(): void {
    this.value(i32);
    if (this.module.chance(0.97)) this.op(0x41, 0xff, 0xff, 0x01, 0x71);
  }

  bulk(): void {
    const { module } = this;
    const small = (): void => {
      this.value(i32);
      this.op(0x41, 0x3f, 0x71);
    };
    const what = module.below(6);
    if (what > 2 && module.chance(0.5)) return;
    this.address();
    if (what === 1) this.value(i32);
    else this.address();
    if (what === 2 && module.hasPassive && module.chance(0.5)) {
      this.op(0x1a, 0x41, 0, 0x41, 3, 0xfc, 8, 0, 0);
      return;
    }
    if (module.chance(0.95)) small();
    else this.value(i32);
    if (what === 1) this.op(0xfc, 11, 0);
    else if (what < 4) this.op(0xfc, 10, 0, 0);
    else this.op(0x1a, 0x1a, 0x1a, 0x41, 0, 0x41, 0, 0x41, 1, 0xfc, 14, 0, 0);
  }

  ifElse(results: number[]): void {
    const params = this.module.chance(0.2) ? this.module.someTypes(2) : [];
    for (const type of params) this.value(type);
    this.condition();
    const hasElse = params.join() !== results.join() || this.module.chance(0.5);
    const arm = (): void => {
      this.dropOrKeep(params);
      this.statements(3);
      for (const type of results) this.value(type);
    };
    this.blockHead(0x04, params, results);
    this.labels.push({ carries: results });
    arm();
    if (hasElse) {
      this.op(0x05);
      arm();
    }
    this.labels.pop();
    this.op(0x0b);
  }

  dropOrKeep(params: number[]): void {
    for (const type of [...params].reverse()) {
      const locals = this.localsOf(type, false);
      if (locals.length > 0 && this.module.chance(0.7)) this.op(0x21, this.module.pick(locals));
      else this.op(0x1a);
    }
  }

  blockHead(op: number, params: number[], results: number[]): void {
    this.op(op);
    if (params.length === 0 && results.length === 0) this.out.byte(0x40);
    else if (params.length === 0 && results.length === 1) this.out.byte(results[0] as number);
    else this.out.signed(this.module.typeIndex(params, results));
  }

  /** A block or loop, sometimes with parameters. */
  block(op: number, results: number[], inside: () => void): void {
    const params = this.module.chance(0.25) ? this.module.someTypes(2) : [];
    for (const type of params) this.value(type);
    this.blockHead(op, params, results);
    this.labels.push({ carries: op === 0x03 ? params : results });
    this.dropOrKeep(params);
    inside();
    for (const type of results) this.value(type);
    this.labels.pop();
    this.op(0x0b);
  }

  /** A loop that ends, unless something in it spoils its counter. */
  countedLoop(): void {
    const counter = this.locals.length - 1 - this.module.below(2);
    this.op(0x41, 1 + this.module.below(12), 0x21, counter);
    this.blockHead(0x03, [], []);
    this.labels.push({ carries: [] });
    this.statements(3);
    this.op(0x20, counter, 0x41, 1, 0x6b, 0x22, counter);
    if (this.module.chance(0.3)) this.op(0x41, 0, 0x4a);
    this.op(0x0d, 0);
    this.labels.pop();
    this.op(0x0b);
  }

  /** Loops of few operations, as compilers make them: these are what counted-loop rules look at. */
  tightLoop(): void {
    const { module } = this;
    const counter = this.locals.length - 1 - module.below(2);
    const locals = this.localsOf(i32, false);
    const body = (): void => {
      if (locals.length === 0 || module.chance(0.2)) return;
      const local = module.pick(locals);
      this.op(0x20, local, 0x20, counter, module.pick([0x6a, 0x6b, 0x73]), 0x21, local);
    };
    const step = 1 + module.below(3);
    const compare = module.pick([0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f]);
    const bound = (): void => {
      if (locals.length > 0 && module.chance(0.5)) this.op(0x20, module.pick(locals));
      else this.op(0x41, module.below(60));
    };
    const bump = (): void => this.op(0x20, counter, 0x41, step, module.pick([0x6a, 0x6a, 0x6b]));
    this.op(0x41, module.below(60), 0x21, counter);
    if (module.chance(0.5)) {
      this.op(0x03, 0x40);
      body();
      bump();
      this.op(0x22, counter);
      bound();
      this.op(compare, 0x0d, 0, 0x0b);
    } else {
      const inverted = module.chance(0.4);
      if (inverted) this.op(0x02, 0x40);
      this.op(0x03, 0x40, 0x20, counter);
      bound();
      this.op(compare);
      if (inverted) this.op(0x45, 0x0d, 1);
      else this.op(0x04, 0x40);
      body();
      bump();
      this.op(0x21, counter, 0x0c, inverted ? 0 : 1, 0x0b);
      this.op(0x0b);
    }
  }

  conditionalBranch(): void {
    const { module } = this;
    const depth = module.below(this.labels.length);
    const { carries } = this.labels[this.labels.length - 1 - depth] as Label;
    for (const type of carries) this.value(type);
    this.condition();
    this.op(0x0d);
    this.out.u32(depth);
    for (let index = 0; index < carries.length; index++) this.op(0x1a);
  }

  /** Something after which nothing runs, inside a block of its own most of the time so that the rest still does. */
  endOfCode(): void {
    if (this.module.chance(0.8)) {
      this.condition();
      this.op(0x04, 0x40);
      this.labels.push({ carries: [] });
      this.leave();
      if (this.module.chance(0.3)) this.statements(2);
      this.labels.pop();
      this.op(0x0b);
    } else {
      this.blockHead(0x02, [], []);
      this.labels.push({ carries: [] });
      this.leave();
      if (this.module.chance(0.3)) this.statements(2);
      this.labels.pop();
      this.op(0x0b);
    }
  }

  leave(): void {
    const { module } = this;
    const what = module.below(10);
    const depth = module.below(this.labels.length);
    const { carries } = this.labels[this.labels.length - 1 - depth] as Label;
    if (what < 3) {
      for (const type of carries) this.value(type);
      this.op(0x0c);
      this.out.u32(depth);
    } else if (what < 5) {
      for (const type of this.signature.results) this.value(type);
      this.op(0x0f);
    } else if (what < 6) this.op(0x00);
    else if (what < 8) this.branchTable(depth, carries);
    else if (!this.tailCall()) this.op(0x0c, 0);
  }

  branchTable(depth: number, carries: number[]): void {
    const { module } = this;
    const targets = this.labels
      .map((label, index) => ({ label, depth: this.labels.length - 1 - index }))
      .filter(({ label }) => label.carries.join() === carries.join())
      .map((target) => target.depth);
    for (const type of carries) this.value(type);
    this.value(i32);
    if (module.chance(0.7)) this.op(0x41, 3, 0x71);
    const count = module.below(5);
    this.op(0x0e);
    this.out.u32(count);
    for (let index = 0; index < count; index++) this.out.u32(module.pick(targets));
    this.out.u32(depth);
  }

  tailCall(): boolean {
    const { module } = this;
    const results = this.signature.results.join();
    const candidates = module.functions
      .map((type, index) => ({ type: module.types[type] as Signature, index }))
      .filter(({ type }) => type.results.join() === results);
    if (candidates.length === 0) return false;
    const { type, index } = module.pick(candidates);
    for (const param of type.params) this.value(param);
    if (module.chance(0.5)) {
      this.op(0x12);
      this.out.u32(index);
    } else {
      this.value(i32);
      this.op(0x41, 3, 0x71, 0x13);
      this.out.u32(module.functions[index] as number);
      this.out.u32(0);
    }
    return true;
  }

  call(index: number, drop: boolean): void {
    const { module } = this;
    const type = module.functions[index] as number;
    const { params, results } = module.types[type] as Signature;
    for (const param of params) this.value(param);
    if (module.chance(0.7)) {
      this.op(0x10);
      this.out.u32(index);
    } else {
      this.value(i32);
      this.op(0x41, module.tableSize > 3 ? 3 : 1, 0x71, 0x11);
      this.out.u32(type);
      this.out.u32(0);
    }
    if (drop) for (let count = results.length; count > 0; count--) this.op(0x1a);
  }

  condition(): void {
    this.value(i32);
    if (this.module.chance(0.3)) this.op(0x45);
  }

  /** Pushes one value. */
  value(type: number): void {
    const { module } = this;
    if (this.budget <= 0) return this.leaf(type);
    switch (module.below(14)) {
      case 0:
        return this.block(0x02, [type], () => this.statements(2));
      case 1:
        return this.block(0x03, [type], () => this.statements(2));
      case 2:
        return this.ifElse([type]);
      case 3:
      case 4:
      case 5:
        return this.binary(type);
      case 6: {
        this.value(type);
        this.value(type);
        this.condition();
        this.op(0x1b);
        return;
      }
      case 7: {
        const matching = module.functions
          .map((_, index) => index)
          .filter((index) => module.types[module.functions[index] as number]?.results.join() === String(type));
        if (matching.length === 0) return this.leaf(type);
        return this.call(module.pick(matching), false);
      }
      case 8: {
        const locals = this.localsOf(type, false);
        if (locals.length === 0) return this.leaf(type);
        this.value(type);
        this.op(0x22, module.pick(locals));
        return;
      }
      case 9: {
        // Carried out of a block by a branch that may or may not be taken.
        this.blockHead(0x02, [], [type]);
        this.labels.push({ carries: [type] });
        this.value(type);
        this.condition();
        this.op(0x0d, 0);
        this.op(0x1a);
        this.statements(1);
        this.value(type);
        this.labels.pop();
        this.op(0x0b);
        return;
      }
      default:
        return this.leaf(type);
    }
  }

  binary(type: number): void {
    const { module } = this;
    this.value(type);
    this.value(type);
    if (type === i32) this.op(module.pick([0x6a, 0x6b, 0x6c, 0x71, 0x72, 0x73, 0x74, 0x48, 0x4d, 0x46, 0x6d, 0x70]));
    else if (type === i64) this.op(module.pick([0x7c, 0x7d, 0x7e, 0x83, 0x84, 0x85, 0x86, 0x80]));
    else this.op(module.pick([0xa0, 0xa1, 0xa2, 0xa3, 0xa4]));
  }

  leaf(type: number): void {
    const { module } = this;
    const locals = this.localsOf(type, true);
    if (locals.length > 0 && module.chance(0.5)) {
      this.op(0x20, module.pick(locals));
      return;
    }
    const global = module.globals.findIndex((candidate) => candidate.type === type);
    if (global >= 0 && module.chance(0.3)) {
      this.op(0x23, global);
      return;
    }
    if (type === i32 && module.chance(0.2)) {
      this.op(0x41, module.below(64), 0x28, 2, 0);
      return;
    }
    if (type === i32 && module.chance(0.1)) {
      this.op(0x3f, 0);
      return;
    }
    this.budget--;
    constant(this.out, type, module.chance(0.8) ? module.below(64) : module.below(1 << 30) - (1 << 29));
  }
}

export function randomModule(seed: number): RandomModule {
  return new ModuleMaker(seededRandom(seed)).make();
}
