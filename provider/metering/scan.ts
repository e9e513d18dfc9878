import { cost, miscCost, simdCost } from './costs.ts';
import { featureRefused, invalidModule, moduleLimit } from './errors.ts';
import { Event, markDead, markElse } from './events.ts';
import type { FunctionFacts } from './events.ts';
import type { Body } from './module.ts';
import {
  Imm,
  Misc,
  floatUse,
  heightChange,
  immediates,
  keepsValue,
  miscHeightChange,
  refusedFeature,
  simdHeightChange,
} from './opcodes.ts';
import { ScanState, seenSignExtension, seenReferences, seenTailCalls, seenMultiValue } from './scan-state.ts';
import { emptyBlockType } from './wasm.ts';

/**
 * Goes once through the code of every function and writes its events. It survives anything (each read is bounded), but
 * only of a validated module are the events meaningful.
 */
export class Scanner extends ScanState {
  scan(body: Body, typeIndex: number): FunctionFacts {
    const { module, reader, events, limits, loops } = this;
    const bytes = module.bytes;
    const end = body.end;
    const first = events.length;
    let pos = body.code;
    let height = 0;
    let heightMax = 0;
    let plain = 0;
    let hasLoop = false;
    let dead = false;
    let deadDepth = 0;
    let hasTemporary = false;
    let floats = 0;
    let values = 0;
    const firstLocal = this.declaredLocalsLength;
    const type = module.types[typeIndex];
    const paramCount = this.recordLocals ? (type?.params.length ?? 0) : Infinity;

    this.depth = 0;
    this.openers[0] = -1;
    this.bases[0] = 0;

    while (pos < end) {
      const at = pos;
      const op = bytes[pos++] as number;
      let arg = 0;
      // First the immediates: after the switch `pos` stands at the next operation.
      switch (immediates[op]) {
        case Imm.none:
          break;
        case Imm.index:
          arg = bytes[pos++] as number;
          if (arg >= 0x80) {
            reader.pos = pos - 1;
            arg = reader.u32();
            pos = reader.pos;
          }
          break;
        case Imm.memarg:
          if ((bytes[pos++] as number) >= 0x40) {
            reader.pos = pos - 1;
            if (reader.u32() >= 0x40) throw featureRefused('several memories', at);
            pos = reader.pos;
          }
          while ((bytes[pos++] as number) >= 0x80);
          break;
        case Imm.i32:
        case Imm.i64:
          while ((bytes[pos++] as number) >= 0x80);
          break;
        case Imm.f32:
          pos += 4;
          break;
        case Imm.f64:
          pos += 8;
          break;
        case Imm.blockType:
          reader.pos = pos;
          arg = reader.s33();
          pos = reader.pos;
          if (arg >= 0) {
            if (arg >= module.types.length) throw invalidModule(`there is no type ${arg}`, at);
            this.seen |= seenMultiValue;
          } else if (arg !== emptyBlockType) this.checkValueType(arg & 0x7f, at);
          break;
        case Imm.callIndirect:
          reader.pos = pos;
          arg = reader.u32();
          if (reader.u32() !== 0) this.seen |= seenReferences;
          pos = reader.pos;
          break;
        case Imm.branchTable: {
          reader.pos = pos;
          arg = reader.u32();
          if (arg > limits.branchTargetsMax) {
            throw moduleLimit('branchTargetsMax', arg, limits.branchTargetsMax, at);
          }
          for (let count = 0; count <= arg; count++) reader.u32();
          pos = reader.pos;
          break;
        }
        case Imm.selectTypes:
          reader.pos = pos;
          arg = reader.u32();
          if (arg !== 1) throw invalidModule('select with more than one type', at);
          this.checkValueType(reader.byte(), at);
          pos = reader.pos;
          this.seen |= seenReferences;
          break;
        case Imm.heapType:
          this.checkValueType(bytes[pos++] as number, at);
          this.seen |= seenReferences;
          break;
        case Imm.memory:
          if (bytes[pos++] !== 0) throw featureRefused('several memories', at);
          break;
        case Imm.prefixed:
          reader.pos = pos;
          arg = op === 0xfd ? this.simd(at) : this.misc(at);
          pos = reader.pos;
          break;
        default:
          throw featureRefused(refusedFeature(op), at);
      }
      if (dead) {
        if (op >= 0x02 && op <= 0x04) {
          if (++deadDepth + this.depth > limits.nestingMax) this.tooDeep(at);
          continue;
        }
        if (op === 0x0b && deadDepth > 0) {
          deadDepth--;
          continue;
        }
        if (deadDepth > 0 || (op !== 0x05 && op !== 0x0b)) continue;
      }
      floats |= op === 0xfd ? 3 : (floatUse[op] as number);
      values += op < 0xfc ? (keepsValue[op] as number) : op === 0xfd || arg < Misc.memoryInit ? 1 : 0;
      plain += op < 0xfc ? (cost[op] as number) : op === 0xfd ? (simdCost[arg] as number) : (miscCost[arg] as number);

      loops.operation(at);
      // Then the events.
      switch (op) {
        case 0x02: // block
        case 0x03: // loop
        case 0x04: {
          if (op === 0x04) height--;
          if (++this.depth > limits.nestingMax) this.tooDeep(at);
          this.openers[this.depth] = events.push(op - 1, at, pos, arg, plain);
          this.bases[this.depth] = height - this.paramCount(arg);
          this.blockTypes[this.depth] = arg;
          plain = 0;
          if (op === 0x03) loops.open(events.length - 1, this.depth, at);
          break;
        }
        case 0x05: // else
        case 0x0b: {
          const opener = this.openers[this.depth] as number;
          const index = events.push(op === 0x05 ? Event.else : Event.end, at, pos, opener, plain);
          events.mark[index] = dead ? markDead : 0;
          plain = 0;
          dead = false;
          if (op === 0x05) {
            if (this.depth === 0) throw invalidModule('an else without an if', at);
            events.mark[opener] = (events.mark[opener] as number) | markElse;
            height = (this.bases[this.depth] as number) + this.paramCount(this.blockTypes[this.depth] as number);
          } else if (this.depth === 0) {
            if (pos !== end) throw invalidModule('code after the end of a function', pos);
          } else {
            loops.close(this.depth);
            height = (this.bases[this.depth] as number) + this.resultCount(this.blockTypes[this.depth] as number);
            this.depth--;
          }
          break;
        }
        case 0x0c: // br
        case 0x0d: {
          if (arg > this.depth) throw invalidModule(`a branch to level ${arg} of ${this.depth}`, at);
          if (op === 0x0d && arg === 0 && bytes[pos] === 0x0b) {
            const step = loops.closes(events.length, this.depth);
            // Whether an even step ever meets its bound is tested with an operand set aside.
            if (step % 2 === 0 && step !== 0) hasTemporary = true;
          }
          hasLoop = this.branch(arg) || hasLoop;
          events.push(op === 0x0c ? Event.br : Event.brIf, at, pos, arg, plain);
          plain = 0;
          height--;
          dead = op === 0x0c;
          break;
        }
        case 0x0e: // br_table
          hasLoop = this.branchTable(at) || hasLoop;
          events.push(Event.brTable, at, pos, arg, plain);
          plain = 0;
          dead = true;
          break;
        case 0x0f:
        case 0x00:
          if (op === 0x0f) loops.spoil();
          events.push(op === 0x0f ? Event.return : Event.unreachable, at, pos, 0, plain);
          plain = 0;
          dead = true;
          break;
        case 0x10: // call
        case 0x12: {
          const type = module.types[module.functions[arg] ?? -1];
          if (type === undefined) throw invalidModule(`there is no function ${arg}`, at);
          events.push(op === 0x10 ? Event.call : Event.returnCall, at, pos, arg, plain);
          height += type.results.length - type.params.length;
          plain = 0;
          if (op === 0x12) {
            loops.spoil();
            dead = true;
            this.seen |= seenTailCalls;
          }
          break;
        }
        case 0x11: // call_indirect
        case 0x13: {
          const type = module.types[arg];
          if (type === undefined) throw invalidModule(`there is no type ${arg}`, at);
          events.push(op === 0x11 ? Event.callIndirect : Event.returnCallIndirect, at, pos, arg, plain);
          loops.spoil();
          hasTemporary ||= this.recordLocals;
          height += type.results.length - type.params.length - 1;
          plain = 0;
          if (op === 0x13) {
            dead = true;
            this.seen |= seenTailCalls;
          }
          break;
        }
        case 0x40:
          loops.spoil();
          events.push(Event.memoryGrow, at, pos, 0, plain);
          plain = 0;
          break;
        case 0xd2:
          if (arg >= module.functions.length) throw invalidModule(`there is no function ${arg}`, at);
          events.push(Event.refFunc, at, pos, arg, plain);
          this.seen |= seenReferences;
          height++;
          plain = 0;
          break;
        case 0xfc:
          height += miscHeightChange[arg] as number;
          if (arg >= Misc.tableInit && arg !== Misc.elemDrop && arg !== Misc.tableSize) this.changesTables = true;
          if (arg === Misc.dataDrop || arg === Misc.elemDrop) this.dropsSegments = true;
          if (arg >= Misc.memoryInit && arg !== Misc.dataDrop && arg !== Misc.elemDrop && arg !== Misc.tableSize) {
            loops.spoil();
            events.push(Event.bulk, at, pos, arg, plain);
            hasTemporary = true;
            plain = 0;
          }
          break;
        case 0xfd:
          height += simdHeightChange[arg] as number;
          break;
        case 0x20:
        case 0x21:
        case 0x22:
          height += heightChange[op] as number;
          if (op !== 0x20) loops.write(arg, at);
          if (arg >= paramCount) this.recordLocal(at);
          break;
        default:
          height += heightChange[op] as number;
          if (op === 0x26) this.changesTables = true;
          if (op >= 0xc0 && op <= 0xc4) this.seen |= seenSignExtension;
          else if (op === 0x25 || op === 0x26 || op === 0xd1) this.seen |= seenReferences;
      }
      if (height > heightMax) {
        heightMax = height;
        if (height > limits.operandsMax) throw moduleLimit('operandsMax', height, limits.operandsMax, at);
      }
    }
    if (pos !== end || this.depth !== 0 || events.kind[events.length - 1] !== Event.end) {
      throw invalidModule('a function body without its end', body.start);
    }
    const results = type?.results.length ?? 0;
    return {
      first,
      last: events.length,
      firstLocal,
      lastLocal: this.declaredLocalsLength,
      operandsMax: Math.max(heightMax, results),
      hasLoop,
      hasTemporary,
      values,
      computesFloats: (floats & 1) !== 0,
      showsFloats: (floats & 2) !== 0,
    };
  }
}
