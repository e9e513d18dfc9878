import { MeterError, featureRefused, invalidModule, moduleLimit } from './errors.ts';
import type { MeterLimits } from './limits.ts';
import { ValueType, externalKinds, isReference } from './module.ts';
import type { ElementSegment, FunctionReference, Module } from './module.ts';
import { ModuleReader } from './module-reader.ts';

const header = [0x00, 0x61, 0x73, 0x6d];

/**
 * Reads the structure of a module and counts it against the limits, without looking into the code. It may be handed
 * anything: it never trusts a count and never reads outside the bytes. What it accepts may still be invalid.
 */
export function parseModule(bytes: Uint8Array, limits: MeterLimits): Module {
  if (bytes.length < 8 || header.some((byte, index) => bytes[index] !== byte)) {
    throw new MeterError(
      'NOT_WASM',
      `These ${bytes.length} bytes are not a WebAssembly module: it starts with \\0asm.`,
    );
  }
  if (bytes[4] !== 1 || bytes[5] !== 0 || bytes[6] !== 0 || bytes[7] !== 0) {
    const component = bytes[6] === 1;
    throw featureRefused(component ? 'the component format' : 'an unknown version of the binary format', 4);
  }
  if (bytes.length > limits.moduleBytesMax) throw moduleLimit('moduleBytesMax', bytes.length, limits.moduleBytesMax);
  return new ModuleParser(bytes, limits).parse();
}

class ModuleParser extends ModuleReader {
  parse(): Module {
    const reader = this.reader;
    const moduleEnd = reader.end;
    while (reader.pos < moduleEnd) {
      const offset = reader.pos;
      const id = reader.byte();
      const size = reader.u32();
      const start = reader.pos;
      if (size > moduleEnd - start) throw invalidModule(`a section of ${size} bytes is cut off`, offset);
      reader.end = start + size;
      this.section(id, offset);
      if (id !== 0 && reader.pos !== reader.end) throw invalidModule('a section has bytes too many', reader.pos);
      reader.pos = start + size;
      reader.end = moduleEnd;
    }
    const imported = this.module.imports.length;
    if (this.module.functions.length - imported !== this.module.bodies.length) {
      throw invalidModule('it declares another number of functions than it has bodies');
    }
    return this.module;
  }

  section(id: number, offset: number): void {
    switch (id) {
      case 0:
        return;
      case 1:
        return this.vector('typesMax', () => this.functionType());
      case 2:
        return this.vector('importsMax', () => this.importEntry());
      case 3:
        return this.vector('functionsMax', () => this.declaration());
      case 4:
        return this.vector('tablesMax', () => this.table());
      case 5:
        return this.memories();
      case 6:
        return this.vector('globalsMax', () => this.global());
      case 7:
        return this.vector('exportsMax', () => this.exportEntry());
      case 8:
        this.module.start = this.reader.u32();
        return;
      case 9:
        return this.vector('segmentsMax', () => this.element());
      case 10:
        return this.code();
      case 11:
        return this.data();
      case 12:
        this.module.dataCount = this.reader.u32();
        return;
      case 13:
        throw featureRefused('exceptions', offset);
      default:
        throw featureRefused(`the unknown section ${id}`, offset);
    }
  }

  functionType(): void {
    const offset = this.reader.pos;
    const form = this.reader.byte();
    if (form !== 0x60) throw featureRefused(form < 0x40 ? 'an unknown type form' : 'garbage collection', offset);
    const params = this.valueTypes();
    const results = this.valueTypes();
    if (results.length > 1) this.module.features.add('multi-value');
    this.module.types.push({ params, results });
  }

  importEntry(): void {
    const offset = this.reader.pos;
    const module = this.reader.name(this.limits.nameBytesMax);
    const name = this.reader.name(this.limits.nameBytesMax);
    const kind = this.reader.byte();
    // Whatever is imported beside functions would be shared with the host or another module, out of the meter's sight.
    if (kind !== 0) throw featureRefused(`an imported ${externalKinds[kind] ?? 'thing of unknown kind'}`, offset);
    const type = this.typeIndex();
    this.module.imports.push({ module, name, type });
    this.module.functions.push(type);
  }

  declaration(): void {
    this.module.functions.push(this.typeIndex());
  }

  table(): void {
    const offset = this.reader.pos;
    const type = this.reader.byte();
    if (!isReference(type)) throw featureRefused('typed function references', offset);
    const flags = this.reader.byte();
    if (flags > 1) throw featureRefused(flags & 4 ? 'memory64' : 'threads', offset + 1);
    const min = this.reader.u32();
    const max = flags & 1 ? this.reader.u32() : undefined;
    const limit = this.limits.tableEntriesMax;
    if (min > limit) throw moduleLimit('tableEntriesMax', min, limit, offset);
    if (this.module.tables.length > 0 || type !== ValueType.funcref) this.module.features.add('reference-types');
    this.module.tables.push({ type, min, max });
  }

  memories(): void {
    const offset = this.reader.pos;
    const count = this.reader.u32();
    if (count > 1) throw featureRefused('several memories', offset);
    if (count === 0) return;
    const at = this.reader.pos;
    const flags = this.reader.byte();
    if (flags & 4) throw featureRefused('memory64', at);
    if (flags & 2) throw featureRefused('threads (a shared memory)', at);
    if (flags > 1) throw featureRefused('custom page sizes', at);
    const min = this.reader.u32();
    this.module.memory = { min, max: flags & 1 ? this.reader.u32() : undefined };
  }

  global(): void {
    const type = this.valueType();
    const offset = this.reader.pos;
    const mutable = this.reader.byte();
    if (mutable > 1) throw featureRefused('threads (a shared global)', offset);
    const initStart = this.reader.pos;
    const functions: FunctionReference[] = [];
    this.constantExpression(functions);
    this.module.globals.push({ type, mutable: mutable === 1, initStart, initEnd: this.reader.pos, functions });
  }

  exportEntry(): void {
    const offset = this.reader.pos;
    const name = this.reader.name(this.limits.nameBytesMax);
    const kindOffset = this.reader.pos;
    const kind = externalKinds[this.reader.byte()];
    if (kind === undefined) throw featureRefused('an export of unknown kind', kindOffset);
    if (name.startsWith('workswap_')) {
      throw new MeterError(
        'RESERVED_EXPORT',
        `The module exports ${JSON.stringify(name)}: names that start with workswap_ are reserved for the meter. Rename it.`,
        { offset },
      );
    }
    const index = this.reader.u32();
    if (kind === 'global' && this.module.globals[index]?.mutable) this.module.features.add('mutable-globals');
    this.module.exports.push({ name, kind, index });
  }

  /** Steps over a constant expression and collects the functions that it names. */
  element(): void {
    const reader = this.reader;
    const start = reader.pos;
    const flags = reader.u32();
    if (flags > 7) throw featureRefused('an unknown element segment', start);
    const functions: FunctionReference[] = [];
    const passive = (flags & 1) === 1;
    if (!passive) {
      if (flags & 2) reader.u32();
      this.constantExpression([]);
    } else {
      this.module.features.add('bulk-memory');
    }
    if (flags & 3) {
      if (flags & 4) this.valueType();
      else if (reader.byte() !== 0) throw featureRefused('an unknown element segment', start);
    }
    const countOffset = reader.pos;
    const count = reader.u32();
    const limit = this.limits.tableEntriesMax;
    if (count > limit) throw moduleLimit('tableEntriesMax', count, limit, countOffset);
    for (let index = 0; index < count; index++) {
      if (flags & 4) this.constantExpression(functions);
      else functions.push(this.functionIndex());
    }
    const segment: ElementSegment = { start, end: reader.pos, functions, declarative: (flags & 3) === 3 };
    this.module.elements.push(segment);
  }

  code(): void {
    let locals = 0;
    this.vector('functionsMax', () => {
      const reader = this.reader;
      const offset = reader.pos;
      const size = reader.u32();
      const start = reader.pos;
      if (size > this.limits.bodyBytesMax) throw moduleLimit('bodyBytesMax', size, this.limits.bodyBytesMax, offset);
      if (size > reader.end - start) throw invalidModule('a function body is cut off', offset);
      const localsDeclared = this.locals(offset);
      locals += localsDeclared;
      if (locals > this.limits.localsTotalMax) {
        throw moduleLimit('localsTotalMax', locals, this.limits.localsTotalMax, offset);
      }
      this.module.bodies.push({ start, code: reader.pos, end: start + size, localsDeclared });
      if (reader.pos > start + size) throw invalidModule('a function body is cut off', offset);
      reader.pos = start + size;
    });
  }

  data(): void {
    const reader = this.reader;
    this.module.data = { start: reader.pos, end: reader.end };
    let total = 0;
    this.vector('segmentsMax', () => {
      const offset = reader.pos;
      const flags = reader.u32();
      if (flags > 2) throw featureRefused('an unknown data segment', offset);
      if (flags === 1) {
        this.module.passiveData = true;
        this.module.features.add('bulk-memory');
      } else {
        if (flags === 2 && reader.u32() !== 0) throw featureRefused('several memories', offset);
        this.constantExpression([]);
      }
      const length = reader.u32();
      total += length;
      if (total > this.limits.dataBytesMax) throw moduleLimit('dataBytesMax', total, this.limits.dataBytesMax, offset);
      reader.skip(length);
    });
  }
}
