/** What a JSON value is. `Missing`: there is none, because nothing stands there or because the text was no JSON. */
export const enum JsonKind {
  Missing,
  Null,
  Bool,
  Number,
  String,
  Array,
  Object,
}

/**
 * A value out of a JSON text. Every accessor has an answer for every value, so a handler looks for what it wants and
 * names what it gets otherwise: `Json.parse(text).get('tags').at(0).asString('none')`.
 */
export class JsonValue {
  /** Of a string its text, of an object's values their keys in the order of the text. */
  private text: string = '';
  private items: JsonValue[] | null = null;
  private keyTexts: string[] | null = null;

  constructor(
    public kind: JsonKind = JsonKind.Missing,
    private value: f64 = 0,
  ) {}

  static ofString(text: string): JsonValue {
    const value = new JsonValue(JsonKind.String);
    value.text = text;
    return value;
  }

  static ofArray(items: JsonValue[]): JsonValue {
    const value = new JsonValue(JsonKind.Array);
    value.items = items;
    return value;
  }

  static ofObject(keys: string[], items: JsonValue[]): JsonValue {
    const value = new JsonValue(JsonKind.Object);
    value.keyTexts = keys;
    value.items = items;
    return value;
  }

  /** Whether there is a value; `null` is one. */
  get exists(): bool {
    return this.kind != JsonKind.Missing;
  }

  get isNull(): bool {
    return this.kind == JsonKind.Null;
  }

  get isObject(): bool {
    return this.kind == JsonKind.Object;
  }

  get isArray(): bool {
    return this.kind == JsonKind.Array;
  }

  /** The value of `key` in an object, of the last where the text repeats it; else a missing value. */
  get(key: string): JsonValue {
    const keys = this.keyTexts;
    if (keys !== null) {
      for (let i = keys.length - 1; i >= 0; i--) if (keys[i] == key) return this.items![i];
    }
    return new JsonValue();
  }

  /** The item at `index` of a list; else a missing value. */
  at(index: i32): JsonValue {
    const items = this.items;
    if (this.kind != JsonKind.Array || items === null || <u32>index >= <u32>items.length) return new JsonValue();
    return items[index];
  }

  has(key: string): bool {
    return this.get(key).exists;
  }

  /** How many items a list has, or keys an object; else 0. */
  get length(): i32 {
    const items = this.items;
    return items === null ? 0 : items.length;
  }

  /** The keys of an object in the order of the text; else none. */
  keys(): string[] {
    const keys = this.keyTexts;
    return keys === null ? [] : keys.slice(0);
  }

  asString(fallback: string = ''): string {
    return this.kind == JsonKind.String ? this.text : fallback;
  }

  asNumber(fallback: f64 = 0): f64 {
    return this.kind == JsonKind.Number ? this.value : fallback;
  }

  /** A whole number that an `i64` and JSON's readers hold exactly; `fallback` for every other value. */
  asInteger(fallback: i64 = 0): i64 {
    const value = this.value;
    const isWhole = this.kind == JsonKind.Number && value == Math.trunc(value) && Math.abs(value) <= 9007199254740991;
    return isWhole ? <i64>value : fallback;
  }

  asBool(fallback: bool = false): bool {
    return this.kind == JsonKind.Bool ? this.value != 0 : fallback;
  }
}
