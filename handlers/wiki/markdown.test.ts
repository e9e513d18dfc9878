import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildHandler } from '../../sdk/build/index.ts';
import type { LoadedModule, Outcome } from '../../provider/sandbox/index.ts';
import { loadModule, runInThread, textOf } from '../../test/run-in-thread.ts';
import { checkHtml } from './check-html.ts';

let renderer: LoadedModule;

beforeAll(async () => {
  const source = fileURLToPath(new URL('assembly/render-only.ts', import.meta.url));
  renderer = loadModule((await buildHandler(source)).wasm);
});

function run(markdown: string, fuelMax = 20e9): Outcome {
  const body = new TextEncoder().encode(markdown);
  return runInThread(renderer, { method: 'POST', path: '/', body }, { limits: { fuelMax } });
}

function html(markdown: string): string {
  const outcome = run(markdown);
  expect(outcome.error).toBeUndefined();
  return textOf(outcome);
}

/** What is expected, without the line ends that only make it readable. */
function same(markdown: string, expected: string): void {
  expect([markdown, html(markdown).replaceAll('\n', '')]).toEqual([markdown, expected.replaceAll('\n', '')]);
}

describe('Markdown', () => {
  it('makes headings, paragraphs, rules and line breaks', () => {
    same('# One\n###### Six ##\n####### seven', '<h1>One</h1><h6>Six</h6><p>####### seven</p>');
    same('#hash\n\n#     far     #', '<p>#hash</p><h1>far</h1>');
    same('Title\n=====\nLess\n---', '<h1>Title</h1><h2>Less</h2>');
    same('one  \ntwo\\\nthree', '<p>one<br />two<br />three</p>');
    same('***\n- - -\n__\n', '<hr /><hr /><p>__</p>');
    same('one\r\ntwo\r\n\r\nthree', '<p>onetwo</p><p>three</p>');
  });

  it('follows CommonMark where emphasis begins and ends', () => {
    same(
      '*a* _b_ **c** __d__ ***e***',
      '<p><em>a</em> <em>b</em> <strong>c</strong> <strong>d</strong> <em><strong>e</strong></em></p>',
    );
    same('a * b * c, snake_case_name, 2*3*4', '<p>a * b * c, snake_case_name, 2<em>3</em>4</p>');
    same('*foo**bar**baz*', '<p><em>foo<strong>bar</strong>baz</em></p>');
    same('**foo*', '<p>*<em>foo</em></p>');
    same('*foo [bar* baz](x)', '<p>*foo <a href="x">bar* baz</a></p>');
    same('*foo**bar*', '<p><em>foo**bar</em></p>');
    same('~~old~~ ~not~', '<p><del>old</del> ~not~</p>');
    same('\\*not\\* \\`either\\`', '<p>*not* `either`</p>');
  });

  it('keeps code as it is', () => {
    same('`a *b* <i>` ``x ` y``', '<p><code>a *b* &lt;i&gt;</code> <code>x ` y</code></p>');
    same(
      '```js\nlet a = "<b>";\n\n```\nafter',
      '<pre><code class="language-js">let a = &quot;&lt;b&gt;&quot;;</code></pre><p>after</p>',
    );
    expect(html('    one\n\n      two\n\nthree')).toBe('<pre><code>one\n\n  two\n</code></pre>\n<p>three</p>\n');
    expect(html('~~~\n```\nopen to the end')).toBe('<pre><code>```\nopen to the end\n</code></pre>\n');
    same('`open', '<p>`open</p>');
  });

  it('nests lists and quotes', () => {
    same('- a\n  - b\n    1. c\n- d', '<ul><li>a<ul><li>b<ol><li>c</li></ol></li></ul></li><li>d</li></ul>');
    same('- a\n\n- b', '<ul><li><p>a</p></li><li><p>b</p></li></ul>');
    same('3) three\n4) four', '<ol start="3"><li>three</li><li>four</li></ol>');
    same('- foo\n-\n- bar', '<ul><li>foo</li><li></li><li>bar</li></ul>');
    same(
      '- one\n\n      code\n* other',
      '<ul><li><p>one</p><pre><code>code</code></pre></li></ul><ul><li>other</li></ul>',
    );
    same(
      '> quote\nlazy\n\n> - list\n>   more',
      '<blockquote><p>quotelazy</p></blockquote><blockquote><ul><li>listmore</li></ul></blockquote>',
    );
    same('In 1984.\n1984. Not a list', '<p>In 1984.1984. Not a list</p>');
  });

  it('makes links, pictures and addresses', () => {
    same(
      '[a *b*](/c "d e") [<>](<x y>)',
      '<p><a href="/c" title="d e">a <em>b</em></a> <a href="x y">&lt;&gt;</a></p>',
    );
    same('![a *b*](/c.png)', '<p><img src="/c.png" alt="a b" /></p>');
    same('[![x](y.png)](z)', '<p><a href="z"><img src="y.png" alt="x" /></a></p>');
    same('[a [b](c)](d)', '<p>[a <a href="c">b</a>](d)</p>');
    const far = 'rel="nofollow noopener noreferrer"';
    same(
      '<https://a.b/c> <me@a.b>',
      `<p><a href="https://a.b/c" ${far}>https://a.b/c</a> <a href="mailto:me@a.b" ${far}>me@a.b</a></p>`,
    );
    same('See https://a.b/(c).', `<p>See <a href="https://a.b/(c)" ${far}>https://a.b/(c)</a>.</p>`);
    same('![far](https://a.b/c.png)', `<p><a href="https://a.b/c.png" ${far}>far</a></p>`);
    same('[x](foo(and(bar)) [y](a b)', '<p>[x](foo(and(bar)) [y](a b)</p>');
  });

  it('links pages by name and marks those that are missing', () => {
    same('[[Home]] [[Home page|start]]', '<p><a href="Home">Home</a> <a href="Home%20page">start</a></p>');
    same('[[none]]', '<p><a href="none" class="missing" title="This page does not exist yet">none</a></p>');
    same('`[[Home]]` [[]] [[a', '<p><code>[[Home]]</code> [[]] [[a</p>');
  });

  it('makes tables', () => {
    same(
      '| a | b | c |\n|---|:-:|--:|\n| 1 | *2* | 3 \\| 4 | 5 |\n| 6 |\n\nafter',
      `<table><thead><tr><th>a</th><th align="center">b</th><th align="right">c</th></tr></thead><tbody>
      <tr><td>1</td><td align="center"><em>2</em></td><td align="right">3 | 4</td></tr>
      <tr><td>6</td><td align="center"></td><td align="right"></td></tr></tbody></table><p>after</p>`.replaceAll(
        '\n      ',
        '',
      ),
    );
    same('a | b\nc | d', '<p>a | bc | d</p>');
  });

  it('shows HTML as text', () => {
    same('<script>alert(1)</script>', '<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>');
    same('<div onclick="x">\n\n*a*', '<p>&lt;div onclick=&quot;x&quot;&gt;</p><p><em>a</em></p>');
    same('&copy; &#65; & &x', '<p>&copy; &#65; &amp; &amp;x</p>');
  });

  it('refuses links that run code, however they are written', () => {
    for (const address of [
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      ' javascript:alert(1)',
      'java\\script:alert(1)',
      '<javascript:alert(1)>',
      '<java\tscript:alert(1)>',
      '<\u0001javascript:alert(1)>',
      'javascript&colon;alert(1)',
      '&#106;avascript:alert(1)',
      'vbscript:x',
      'data:text/html,<script>alert(1)</script>',
      'data:text/html;base64,PHNjcmlwdD4=',
      'file:///etc/passwd',
      'blob:x',
      'x" onmouseover="alert(1)',
      "x' onmouseover='alert(1)",
    ]) {
      for (const text of [
        `[x](${address})`,
        `![x](${address})`,
        `<${address}>`,
        `[[${address}]]`,
        `[x](y "${address}")`,
      ]) {
        checkHtml(html(text));
      }
    }
  });

  it('makes well-formed, safe HTML of anything', () => {
    const pieces = fc.constantFrom(
      ...[
        '*',
        '**',
        '_',
        '~~',
        '`',
        '``',
        '[',
        ']',
        '(',
        ')',
        '![',
        '](',
        '<',
        '>',
        '"',
        "'",
        '&',
        '\\',
        '|',
        '[[',
        ']]',
        '\n',
        '\n\n',
      ],
      ...[
        '# ',
        '- ',
        '1. ',
        '> ',
        '    ',
        '\t',
        '```',
        '~~~\n',
        '---',
        '===',
        '|-|-|\n',
        '|:-:|',
        'a',
        ' ',
        'b c',
        'https://a.b',
        '<a@b>',
      ],
      ...[
        'javascript:x',
        '<script>',
        '</p>',
        '<!--',
        '&lt;',
        '&#0;',
        'onx=',
        '\0',
        '\u{1f600}',
        '\ud800',
        '\u00a0',
        '"title")',
        '<x y>',
      ],
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
        checkHtml(html(parts.join('')));
      }),
      { numRuns: 4000 },
    );
  });

  it('renders large hostile texts with fuel in proportion to their size', () => {
    const hostile: Record<string, (n: number) => string> = {
      'open brackets': (n) => '['.repeat(n),
      'half links': (n) => '[a]('.repeat(n / 4),
      'open addresses': (n) => '[a](<b'.repeat(n / 6),
      'wiki brackets': (n) => '[['.repeat(n / 2),
      stars: (n) => '*a '.repeat(n / 3),
      'closing stars': (n) => 'a* '.repeat(n / 3),
      'mixed runs': (n) => '*a **a _a __a '.repeat(n / 14),
      'nested emphasis': (n) => '*'.repeat(n / 2) + 'a' + '*'.repeat(n / 2),
      backticks: (n) => Array.from({ length: Math.sqrt(2 * n) }, (_run, i) => '`'.repeat(i) + ' ').join(''),
      quotes: (n) => '>'.repeat(n),
      lists: (n) => '- '.repeat(n / 2),
      'lazy lines': (n) => '> a\n' + 'b\n'.repeat(n / 2),
      'open autolinks': (n) => '<a:'.repeat(n / 3),
      titles: (n) => '[a](b "'.repeat(n / 7),
      tables: (n) => '|'.repeat(n / 2) + '\n' + '|-'.repeat(n / 4),
      blanks: (n) => '- a\n' + '\n'.repeat(n),
      pictures: (n) => '![a'.repeat(n / 3) + '](b)'.repeat(16),
      addresses: (n) => 'http://'.repeat(n / 7),
    };
    for (const [name, make] of Object.entries(hostile)) {
      const [small, large] = [4000, 32_000].map((size) => run(make(size)));
      expect([name, small!.error, large!.error]).toEqual([name, undefined, undefined]);
      expect([name, large!.fuel / small!.fuel < 24]).toEqual([name, true]);
      checkHtml(textOf(large!));
    }
  });
});
