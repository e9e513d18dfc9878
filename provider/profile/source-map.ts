import { z } from 'zod';
import { WorkswapError } from '../../sdk/protocol/index.ts';

/** Lines and names longer than what any compiler writes only make trouble. */
const MAP_BYTES_MAX = 64 * 1024 * 1024;

const mapSchema = z.object({
  version: z.literal(3),
  sourceRoot: z.string().optional(),
  sources: z.array(z.string().nullable()),
  sourcesContent: z.array(z.string().nullable()).optional(),
  mappings: z.string(),
  x_workswap_functions: z.record(z.string(), z.string()).optional(),
});

export interface SourceLine {
  file: string;
  /** From 1. */
  line: number;
  /** The line itself, where the map has it. */
  text?: string;
}

/** A module's source map: its only generated line is the module, whose columns are byte offsets. */
export class SourceMap {
  /** Functions' names by index, where the map brings them: see `workswap build --source-map`. */
  readonly names: ReadonlyMap<number, string>;
  readonly #offsets: number[] = [];
  readonly #sources: number[] = [];
  readonly #lines: number[] = [];
  readonly #files: (string | null)[];
  readonly #texts: readonly (string | null)[];

  /** @throws SourceMapError */
  constructor(json: string) {
    if (json.length > MAP_BYTES_MAX) throw new SourceMapError(`it is larger than ${MAP_BYTES_MAX} bytes`);
    const map = parse(json);
    this.#files = map.sources;
    this.#texts = map.sourcesContent ?? [];
    this.names = new Map(Object.entries(map.x_workswap_functions ?? {}).map(([index, name]) => [Number(index), name]));
    this.#read(map.mappings);
  }

  /**
   * The line of the operation at `offset` in a function that stands from `start` to `end`. Code that the compiler made up
   * belongs to the line before it, or else to the first one.
   */
  lineOf(offset: number, start: number, end: number): SourceLine | undefined {
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#offsets[middle] as number) <= offset) low = middle + 1;
      else high = middle;
    }
    for (let index = low - 1; index >= 0 && (this.#offsets[index] as number) >= start; index--) {
      const line = this.#line(index);
      if (line !== undefined) return line;
    }
    for (let index = low; index < this.#offsets.length && (this.#offsets[index] as number) < end; index++) {
      const line = this.#line(index);
      if (line !== undefined) return line;
    }
    return undefined;
  }

  #line(index: number): SourceLine | undefined {
    const source = this.#sources[index] as number;
    const file = this.#files[source];
    if (file == null) return undefined;
    const line = (this.#lines[index] as number) + 1;
    const text = this.#texts[source]?.split('\n', line)[line - 1]?.trim();
    return { file, line, ...(text === undefined ? {} : { text }) };
  }

  #read(mappings: string): void {
    let offset = 0;
    let source = 0;
    let line = 0;
    const first = mappings.split(';', 1)[0] ?? '';
    for (const segment of first.split(',')) {
      const fields = readVlq(segment);
      offset += fields[0] ?? 0;
      source += fields[1] ?? 0;
      line += fields[2] ?? 0;
      if (offset < (this.#offsets.at(-1) ?? 0)) throw new SourceMapError('its mappings are not in order');
      if (segment === '') continue;
      this.#offsets.push(offset);
      // A segment of one field says that nothing is known from here on.
      this.#sources.push(fields.length === 1 ? -1 : source);
      this.#lines.push(line);
    }
  }
}

function parse(json: string): z.infer<typeof mapSchema> {
  try {
    return mapSchema.parse(JSON.parse(json));
  } catch (cause) {
    throw new SourceMapError('it is not a source map of version 3', cause);
  }
}

const digits = new Map([...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].map((c, i) => [c, i]));

/** Base-64 VLQ: five bits a digit, the lowest of a number is its sign. */
function readVlq(text: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let scale = 1;
  for (const character of text) {
    const digit = digits.get(character);
    if (digit === undefined || scale > 2 ** 30) throw new SourceMapError(`its mappings hold ${JSON.stringify(text)}`);
    value += (digit & 31) * scale;
    scale *= 32;
    if (digit & 32) continue;
    numbers.push(value % 2 === 1 ? -(value - 1) / 2 : value / 2);
    value = 0;
    scale = 1;
  }
  return numbers;
}

export class SourceMapError extends WorkswapError {
  constructor(what: string, cause?: unknown) {
    super('INVALID_SOURCE_MAP', `The source map cannot be read: ${what}. Build the handler again with --source-map.`, {
      fault: 'consumer',
      cause,
    });
  }
}
