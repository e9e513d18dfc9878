import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildHandler } from '../sdk/build/index.ts';
import { directory } from './fixtures.ts';

/** What a handler of one line weighs with each part of the SDK, in bytes: docs/sdk.md has the table. */
const FEATURES: readonly [name: string, body: string, bytesMax: number][] = [
  ['nothing but an answer', `return Response.text('hello');`, 2000],
  ['query', `return Response.text(req.query.get('q'));`, 2900],
  ['header', `return Response.text('hello').header('x-a', 'b');`, 3600],
  ['cookies, read', `return Response.text(req.cookies.get('c'));`, 4300],
  ['cookies, set', `return Response.text('').cookie('c', 'v');`, 4500],
  ['Router', `return new Router().get('/', (req: Request, p: Params) => Response.text('')).handle(req);`, 7500],
  ['Html', `return Response.page(new Html().text(req.path));`, 3400],
  ['JsonWriter', `return Response.json(new JsonWriter().object().key('a').string(req.path).end().toString());`, 5400],
  ['JsonWriter, fractions', `return Response.json(new JsonWriter().number(<f64>req.timeMs / 7).toString());`, 7400],
  ['Json', `return Response.text(Json.parse(req.text).get('a').asString());`, 8000],
  ['state, text of a file', `const text = state.readText('a'); return Response.text(text === null ? '' : text);`, 2800],
  ['StateMap', `new StateMap('m').set('a', 'b'); return Response.text('');`, 4000],
  ['Counter', `return Response.text(new Counter('c').add().toString());`, 4200],
  ['List', `return Response.text(new List('l').push('x').toString());`, 4600],
];
const NAMES = [
  'Counter',
  'Html',
  'Json',
  'JsonWriter',
  'List',
  'Params',
  'Request',
  'Response',
  'Router',
  'StateMap',
  'state',
];

it('a handler carries only those parts of the SDK that it uses', async () => {
  const home = await directory();
  const sizes: Record<string, number> = {};
  for (const [name, body] of FEATURES) {
    const file = join(home, 'handler.ts');
    const source = `import { ${NAMES.join(', ')} } from 'workswap';\nexport function handle(req: Request): Response {\n  ${body}\n}\n`;
    await writeFile(file, source);
    sizes[name] = (await buildHandler(file)).wasm.length;
  }
  const tooLarge = FEATURES.filter(([name, , bytesMax]) => sizes[name]! > bytesMax).map(([name]) => name);
  expect(tooLarge, JSON.stringify(sizes, undefined, 1)).toEqual([]);
});
