import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LoadedModule } from '../provider/sandbox/index.ts';
import { buildHandler } from '../sdk/build/index.ts';
import { loadModule, runInThread, textOf } from './run-in-thread.ts';

let encoders: LoadedModule;

/** The decimal that lies exactly between a number and the next larger one, in all its digits. */
function nextToHalf(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = Number(bits >> 52n);
  const mantissa = ((bits & 0xfffffffffffffn) | (exponent === 0 ? 0n : 1n << 52n)) * 2n + 1n;
  const power = (exponent === 0 ? 1 : exponent) - 1076;
  return power >= 0 ? String(mantissa << BigInt(power)) : `${mantissa * 5n ** BigInt(-power)}e${power}`;
}

beforeAll(async () => {
  const source = fileURLToPath(new URL('sdk/assembly/encoders.ts', import.meta.url));
  encoders = loadModule((await buildHandler(source)).wasm);
});

function ask(path: string, body?: string, headers: Record<string, string> = {}): string {
  return textOf(runInThread(encoders, { path, headers, ...(body === undefined ? {} : { body }) }));
}

/** Text of every plane, with many of the characters that mean something to a browser. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('<', '>', '&', '"', "'", '\\', '\n', '\u0000', '%', '+', ';', '=', 'é', '🙂', 'a'),
  }),
);

function htmlOf(value: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return value.replace(/[&<>"']/g, (character) => entities[character]!);
}

describe('what a handler writes', () => {
  it('escapes any text for HTML', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(ask('/html', value)).toBe(htmlOf(value));
        expect(ask('/html-string', value)).toBe(htmlOf(value));
      }),
    );
  });

  it('links to addresses that a browser only goes to, never to a script', () => {
    const harmless = [
      './page',
      '/a:b',
      '?q=a:b',
      '#top',
      'https://example.org/',
      'HTTP://x/',
      'mailto:a@b',
      'ipfs://baf',
      '',
    ];
    for (const url of harmless) expect(ask('/link', url)).toBe(`<a href="${url}">`);
    for (const url of [
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      ' javascript:alert(1)',
      'java\nscript:alert(1)',
      '\u0001javascript:alert(1)',
      'data:text/html,<script>',
      'vbscript:x',
      'file:///etc/passwd',
      'blob:x',
    ]) {
      expect(ask('/link', url), url).toBe('<a href="#">');
    }
  });

  it('quotes any text as JSON', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(JSON.parse(ask('/quote', value))).toBe(value);
      }),
    );
  });

  it('percent-encodes any text as encodeURIComponent does, but for five characters that it escapes too', () => {
    const strict = (value: string): string =>
      encodeURIComponent(value).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
    fc.assert(
      fc.property(text, (value) => {
        expect(ask('/url-encode', value)).toBe(strict(value));
      }),
    );
  });

  it('sets cookies that come back as they were', () => {
    fc.assert(
      fc.property(text, (value) => {
        const [cookie, removed] = runInThread(encoders, { path: '/cookie', body: value }).headers['set-cookie']!.split(
          '\n',
        );
        expect(cookie).toMatch(/^c=[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*; Path=\/; HttpOnly; SameSite=Lax$/);
        expect(removed).toBe('d=x; Max-Age=0');
        const sent = cookie!.slice(0, cookie!.indexOf(';'));
        expect(ask('/cookie', undefined, { cookie: `a=1; ${sent}; cc=2` })).toBe(value);
      }),
    );
  });
});

describe('what a handler reads', () => {
  it('decodes percent-encoded paths as decodeURIComponent does', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(ask('/url-decode', encodeURIComponent(value))).toBe(value);
      }),
    );
  });

  it('never fails on what is wrongly encoded', () => {
    expect(ask('/url-decode', '%')).toBe('%');
    expect(ask('/url-decode', 'a%2')).toBe('a%2');
    expect(ask('/url-decode', '%zz%41')).toBe('%zzA');
    expect(ask('/url-decode', '%ff')).toBe('\ufffd');
  });

  it('finds cookies between others, quoted ones and empty ones', () => {
    expect(ask('/cookie', undefined, { cookie: 'c' })).toBe('none');
    expect(ask('/cookie', undefined, { cookie: 'cc=1; xc=2;; =3; c=yes; c=no' })).toBe('yes');
    expect(ask('/cookie', undefined, { cookie: 'b="c=1"; c="quoted text"' })).toBe('quoted text');
    expect(ask('/cookie', undefined, { cookie: 'c=' })).toBe('');
    expect(ask('/cookie', undefined, { cookie: 'c = a%20b ' })).toBe('a b');
    expect(ask('/cookie')).toBe('none');
  });

  it('reads queries and forms as a browser writes them', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), (values) => {
        const parameters = new URLSearchParams([['p', 'x'], ...values.map((value) => ['q', value])]).toString();
        expect(ask(`/query?${parameters}`)).toBe(values.join('\n'));
        expect(ask('/form', parameters)).toBe(values[0]);
      }),
    );
  });

  it('takes any bytes for text as a TextDecoder does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(ask('/text', value)).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(value)));
      }),
    );
  });

  it('copies any JSON', () => {
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, false, 0, -1.5, 1e21, 2 ** 53),
        fc.integer(),
        text,
        fc.array(tie('json'), { maxLength: 4 }),
        fc.dictionary(text, tie('json'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 2, '\t\r\n'), (value, space) => {
        const source = JSON.stringify(value, undefined, space);
        expect(JSON.parse(ask('/json', source))).toEqual(JSON.parse(source));
      }),
    );
  });

  it('reads any decimal number to the last bit, as JavaScript does', () => {
    const read = (source: string): number => JSON.parse(ask('/json', source)) as number;
    const digits = (maxLength: number): fc.Arbitrary<string> =>
      fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength });
    const decimal = fc
      .tuple(fc.constantFrom('', '-'), digits(30), digits(30), fc.integer({ min: -360, max: 330 }))
      .map(([sign, whole, fraction, exponent]) => `${sign}${BigInt(whole)}.${fraction}e${exponent}`);
    const halfway = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => nextToHalf(Math.abs(value)));
    fc.assert(
      fc.property(
        fc.oneof(decimal, fc.double({ noNaN: true, noDefaultInfinity: true }).map(String), halfway),
        (source) => {
          const value = Number(source);
          // Negative zero is written as 0 and what is no finite number as null, as JSON.stringify does.
          expect(read(source), source).toBe(Number.isFinite(value) ? (value === 0 ? 0 : value) : null);
        },
      ),
      { numRuns: 1000 },
    );
    for (const source of [
      '4.9e-324',
      '2.5e-324',
      '2.4703282292062327e-324',
      '1.7976931348623159e308',
      '9007199254740993',
      '1e400',
      '1e-400',
      '2.2250738585072011e-308',
    ]) {
      const value = Number(source);
      expect(read(source), source).toBe(Number.isFinite(value) ? value : null);
    }
  });

  it('takes for JSON what JavaScript takes for JSON', () => {
    const damaged = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', '"', '\\', '\\u12', ',', ']', '{', '0', '-', '.', 'e', '\n', '+'))
      .map(([json, at, piece]) => {
        const place = at % (json.length + 1);
        return json.slice(0, place) + piece + json.slice(place + (at % 2));
      });
    fc.assert(
      fc.property(
        fc.oneof(damaged, fc.string({ unit: fc.constantFrom(...'01.-+eE[]{}",: tn'), maxLength: 8 })),
        (source) => {
          let isJson = true;
          try {
            JSON.parse(source);
          } catch {
            isJson = false;
          }
          expect(ask('/json-is', source), source).toBe(isJson ? 'yes' : 'no');
        },
      ),
      { numRuns: 500 },
    );
  });

  it('refuses JSON that is nested too deep, at once', () => {
    expect(ask('/json-is', '['.repeat(64) + ']'.repeat(64))).toBe('yes');
    expect(ask('/json-is', '['.repeat(65) + ']'.repeat(65))).toBe('no');
    expect(ask('/json-is', '[{"a":'.repeat(150_000))).toBe('no');
  });
});
