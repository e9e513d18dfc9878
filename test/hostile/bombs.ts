import { binary, module, type HostileCase } from './case.ts';
import { bytesOf, MAGIC, moduleOf, repeat, section, text, types, u32, vector } from './wasm.ts';

/** Modules that are small to send and large to compile. Most are stopped by counting, before an engine sees them. */
const LIMIT = ['MODULE_LIMIT', 'MODULE_TOO_LARGE', 'INVALID_MODULE'];

export const bombs: HostileCase[] = [
  binary(
    'a million functions',
    () => moduleOf({ functions: vector(Array.from({ length: 1_000_000 }, () => 0)) }),
    LIMIT,
  ),
  binary('a body of two megabytes', () => moduleOf({ body: [0, repeat([0x41, 0, 0x1a], 700_000)] }), LIMIT),
  binary('four billion locals', () => moduleOf({ body: [vector([[u32(0xffff_ffff), 0x7e]])] }), LIMIT),
  binary('fifty thousand locals', () => moduleOf({ body: [vector([[u32(50_000), 0x7e]])] }), LIMIT),
  binary('many groups of locals', () => moduleOf({ body: [u32(40_000), repeat([1, 0x7e], 40_000)] }), LIMIT),
  binary(
    'many functions with many locals',
    () => {
      const body = bytesOf(1, u32(9_000), 0x7e, 0x0b);
      return moduleOf({
        functions: [u32(5_000), repeat(0, 5_000)],
        code: [u32(5_000), repeat([u32(body.length), body], 5_000)],
      });
    },
    LIMIT,
  ),
  binary(
    'blocks nested a hundred thousand deep',
    () => moduleOf({ body: [0, repeat([0x02, 0x40], 100_000), repeat(0x0b, 100_000)] }),
    LIMIT,
  ),
  binary(
    'loops nested a hundred thousand deep',
    () => moduleOf({ body: [0, repeat([0x03, 0x40], 100_000), repeat(0x0b, 100_000)] }),
    LIMIT,
  ),
  binary(
    'ifs nested a thousand and one deep',
    () => moduleOf({ body: [0, repeat([0x41, 1, 0x04, 0x40], 1_001), repeat(0x0b, 1_001)] }),
    LIMIT,
  ),
  binary(
    'a br_table of a million targets',
    () => moduleOf({ body: [0, 0x41, 0, 0x0e, u32(1_000_000), repeat(0, 1_000_001)] }),
    LIMIT,
  ),
  binary(
    'many br_tables',
    () => moduleOf({ body: [0, repeat([0x02, 0x40, 0x41, 0, 0x0e, u32(9_000), repeat(0, 9_001), 0x0b], 116)] }),
    [...LIMIT, 'INVALID_OUTPUT'],
  ),
  binary(
    'a hundred thousand types',
    () => moduleOf({ types: types(Array.from({ length: 100_000 }, () => [0x60, 0, 0])) }),
    LIMIT,
  ),
  binary(
    'a type of a thousand results',
    () => moduleOf({ types: types([[0x60, 0, u32(1_000), repeat(0x7f, 1_000)]]) }),
    LIMIT,
  ),
  binary(
    'a hundred thousand exports',
    () => moduleOf({ exports: Array.from({ length: 100_000 }, (_, i) => [text(`e${i}`), 0, 0]) }),
    LIMIT,
  ),
  binary(
    'a hundred thousand globals',
    () => moduleOf({ globals: [u32(100_000), repeat([0x7f, 1, 0x41, 0, 0x0b], 100_000)] }),
    LIMIT,
  ),
  binary(
    'a hundred thousand segments',
    () => moduleOf({ data: [u32(100_000), repeat([0, 0x41, 0, 0x0b, 0], 100_000)] }),
    LIMIT,
  ),
  binary('a name of a megabyte', () => moduleOf({ exports: [[text('x'.repeat(1_000_000)), 0, 0]] }), LIMIT),
  binary(
    'operands without end',
    () => moduleOf({ body: [0, repeat([0x41, 0], 100_000), repeat(0x1a, 100_000)] }),
    LIMIT,
  ),
  binary(
    'a custom section of three megabytes',
    () => moduleOf({ custom: section(0, text('name'), new Uint8Array(3_000_000)) }),
    'INVALID_OUTPUT',
  ),
  binary(
    'a name section that lies',
    () => moduleOf({ custom: section(0, text('name'), 1, u32(0xffff_ffff), 0) }),
    'INVALID_OUTPUT',
  ),
  binary(
    'ten thousand custom sections',
    () => moduleOf({ custom: repeat(section(0, text('a')), 10_000) }),
    'INVALID_OUTPUT',
  ),
  binary(
    'nine megabytes of data',
    () =>
      moduleOf({
        memory: vector([[0, u32(200)]]),
        data: vector([[0, 0x41, 0, 0x0b, u32(9_000_000), new Uint8Array(9_000_000)]]),
      }),
    LIMIT,
  ),
  module(
    'ten thousand branches out of one block',
    () =>
      `(module (memory (export "memory") 1) (func (export "handle") (block $b ${'(br_if $b (i32.const 0)) '.repeat(10_000)})))`,
    'INVALID_OUTPUT',
  ),
  module(
    'a long chain of calls',
    () =>
      `(module (memory (export "memory") 1) ${Array.from({ length: 3_000 }, (_, i) => `(func $f${i} ${i > 0 ? `(call $f${i - 1})` : ''})`).join('')} (func (export "handle") (call $f2999)))`,
    ['INVALID_OUTPUT', 'STACK_OVERFLOW'],
  ),
  module(
    'a doubling tree of calls',
    () =>
      `(module (memory (export "memory") 1) ${Array.from({ length: 60 }, (_, i) => `(func $f${i} ${i > 0 ? `(call $f${i - 1}) (call $f${i - 1})` : ''})`).join('')} (func (export "handle") (call $f59)))`,
    'OUT_OF_FUEL',
    { limits: { fuelMax: 5_000_000 } },
  ),
];

const hello = (): Uint8Array => moduleOf({});

/** What claims to be a module. */
export const malformed: HostileCase[] = [
  binary('nothing', () => new Uint8Array(0), 'NOT_WASM'),
  binary('half a header', () => MAGIC.subarray(0, 6), ['NOT_WASM', 'INVALID_MODULE']),
  binary('another version', () => bytesOf(MAGIC.subarray(0, 4), 2, 0, 0, 0), 'FEATURE_REFUSED'),
  binary('a component', () => bytesOf(MAGIC.subarray(0, 4), 0x0d, 0, 1, 0), 'FEATURE_REFUSED'),
  binary('text', () => Buffer.from('<!doctype html><title>not found</title>'), 'NOT_WASM'),
  binary('an ELF binary', () => Buffer.from('7f454c46020101000000000000000000', 'hex'), 'NOT_WASM'),
  binary('a header and nothing else', () => MAGIC, 'MISSING_EXPORT'),
  binary('a section that is longer than the module', () => bytesOf(MAGIC, 1, u32(1_000_000), 1), 'INVALID_MODULE'),
  binary('a section of four gigabytes', () => bytesOf(MAGIC, 1, u32(0xffff_ffff)), 'INVALID_MODULE'),
  binary('a section size that is no LEB128', () => bytesOf(MAGIC, 1, repeat(0x80, 1_000)), 'INVALID_MODULE'),
  binary(
    'a section size of six bytes',
    () => bytesOf(MAGIC, 1, [0x81, 0x80, 0x80, 0x80, 0x80, 0x00], 0),
    'INVALID_MODULE',
  ),
  binary('an unknown section', () => bytesOf(hello(), 77, 0), ['INVALID_MODULE', 'FEATURE_REFUSED']),
  binary('a section twice', () => bytesOf(MAGIC, types(), types()), 'INVALID_MODULE'),
  binary('sections out of order', () => bytesOf(MAGIC, section(3, vector([0])), types()), 'INVALID_MODULE'),
  binary('four billion types in three bytes', () => bytesOf(MAGIC, section(1, u32(0xffff_ffff))), [
    'INVALID_MODULE',
    'MODULE_LIMIT',
  ]),
  binary('functions without code', () => bytesOf(MAGIC, types(), section(3, vector([0, 0, 0]))), 'INVALID_MODULE'),
  binary('a body without end', () => moduleOf({ code: vector([[u32(2), 0, 0x01]]) }), 'INVALID_MODULE'),
  binary('a body longer than its section', () => moduleOf({ code: vector([[u32(100), 0, 0x0b]]) }), 'INVALID_MODULE'),
  binary('an unknown opcode', () => moduleOf({ body: [0, 0xff] }), ['INVALID_MODULE', 'FEATURE_REFUSED']),
  binary('a prefixed opcode that is unknown', () => moduleOf({ body: [0, 0xfc, u32(200)] }), [
    'INVALID_MODULE',
    'FEATURE_REFUSED',
  ]),
  binary('a stack that is empty', () => moduleOf({ body: [0, 0x6a] }), 'INVALID_MODULE'),
  binary(
    'a local one past the end, which would be the meter’s',
    () => moduleOf({ body: [0, 0x42, 0, 0x21, 0] }),
    'INVALID_MODULE',
  ),
  binary(
    'a global one past the end, which would be the meter’s',
    () => moduleOf({ body: [0, 0x42, 0, 0x24, 0] }),
    'INVALID_MODULE',
  ),
  binary(
    'a branch one level past the function, which would be the meter’s',
    () => moduleOf({ body: [0, 0x0c, 1] }),
    'INVALID_MODULE',
  ),
  binary(
    'a call one past the end, which would be the meter’s',
    () => moduleOf({ body: [0, 0x10, 1] }),
    'INVALID_MODULE',
  ),
  binary('a type one past the end', () => moduleOf({ functions: vector([1]) }), 'INVALID_MODULE'),
  binary('bytes after the last section', () => bytesOf(hello(), 0), 'INVALID_MODULE'),
];

/** A valid handler with every length cut off. */
export function truncations(valid: Uint8Array): HostileCase[] {
  return Array.from({ length: valid.length - 8 }, (_, i) => i + 8).map((length) =>
    binary(`a handler cut to ${length} bytes`, () => valid.subarray(0, length), ['INVALID_MODULE', 'MISSING_EXPORT']),
  );
}
