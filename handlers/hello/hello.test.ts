import { beforeAll, describe, expect, it } from 'vitest';
import { buildHandler } from '../../sdk/build/index.ts';
import { type TestRequest, encodeRequest, runBare } from '../../sdk/build/testing/host.ts';

const SOURCE = new URL('./assembly/index.ts', import.meta.url).pathname;

let wasm: Uint8Array<ArrayBuffer>;
let module: WebAssembly.Module;

beforeAll(async () => {
  ({ wasm } = await buildHandler(SOURCE));
  module = new WebAssembly.Module(wasm);
});

function ask(request: TestRequest) {
  return runBare(module, encodeRequest(request));
}

describe('hello', () => {
  it('greets by the name in the query and tells callers apart', () => {
    const ada = ask({ query: 'name=Ada', caller: '12D3KooWAda' });
    expect(ada).toMatchObject({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' } });
    expect(ada.text).toBe('Hello, Ada! You are peer 12D3KooWAda.\n');
    expect(ask({ caller: '12D3KooWBob' }).text).toBe('Hello, stranger! You are peer 12D3KooWBob.\n');
  });

  it('decodes what browsers encode', () => {
    expect(ask({ query: 'x=1&name=J%C3%BCrgen+%F0%9F%99%82&name=no' }).text).toContain('Hello, Jürgen 🙂!');
  });

  it('fits in 3 KB', () => {
    expect(wasm.length).toBeLessThan(3072);
  });
});
