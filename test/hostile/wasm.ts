/** A writer for modules that no tool would write. */
export type Part = number | readonly Part[] | Uint8Array;

export function bytesOf(...parts: Part[]): Uint8Array {
  const chunks: Uint8Array[] = [];
  const walk = (part: Part): void => {
    if (typeof part === 'number') chunks.push(Uint8Array.of(part));
    else if (part instanceof Uint8Array) chunks.push(part);
    else for (const each of part) walk(each);
  };
  walk(parts);
  return Buffer.concat(chunks);
}

/** LEB128, unsigned. */
export function u32(value: number): Uint8Array {
  const out: number[] = [];
  do {
    const low = value % 128;
    value = Math.floor(value / 128);
    out.push(value > 0 ? low | 0x80 : low);
  } while (value > 0);
  return Uint8Array.from(out);
}

export function text(value: string): Uint8Array {
  const encoded = Buffer.from(value);
  return bytesOf(u32(encoded.length), encoded);
}

export function section(id: number, ...content: Part[]): Uint8Array {
  const body = bytesOf(...content);
  return bytesOf(id, u32(body.length), body);
}

export function vector(items: readonly Part[]): Part {
  return [u32(items.length), items];
}

export const MAGIC = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** The type () -> (), as type 0, and more types after it. */
export function types(more: readonly Part[] = []): Uint8Array {
  return section(1, vector([[0x60, 0, 0], ...more]));
}

/** A handler whose one function has this body (locals and code, without its end); other sections go in where they belong. */
export function moduleOf(parts: {
  body?: Part;
  types?: Uint8Array;
  functions?: Part;
  tables?: Part;
  memory?: Part;
  globals?: Part;
  exports?: readonly Part[];
  elements?: Part;
  dataCount?: Part;
  code?: Part;
  data?: Part;
  custom?: Part;
}): Uint8Array {
  const body = bytesOf(parts.body ?? [0], 0x0b);
  return bytesOf(
    MAGIC,
    parts.types ?? types(),
    section(3, parts.functions ?? vector([0])),
    parts.tables === undefined ? [] : section(4, parts.tables),
    section(5, parts.memory ?? vector([[0, 1]])),
    parts.globals === undefined ? [] : section(6, parts.globals),
    section(7, vector([[text('memory'), 2, 0], [text('handle'), 0, 0], ...(parts.exports ?? [])])),
    parts.elements === undefined ? [] : section(9, parts.elements),
    parts.dataCount === undefined ? [] : section(12, parts.dataCount),
    section(10, parts.code ?? vector([[u32(body.length), body]])),
    parts.data === undefined ? [] : section(11, parts.data),
    parts.custom ?? [],
  );
}

/** A part, so many times. */
export function repeat(part: Part, count: number): Uint8Array {
  const one = bytesOf(part);
  const out = new Uint8Array(one.length * count);
  for (let i = 0; i < count; i++) out.set(one, i * one.length);
  return out;
}
