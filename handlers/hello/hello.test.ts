import { beforeAll, describe, expect, it } from 'vitest';
import type { LoadedModule } from '../../provider/sandbox/index.ts';
import { loadHandler, runInThread, textOf } from '../../test/run-in-thread.ts';

let hello: LoadedModule;

beforeAll(async () => {
  hello = await loadHandler('hello');
});

describe('hello', () => {
  it('greets by the name in the query and tells callers apart', () => {
    const ada = runInThread(hello, { path: '/?name=Ada' }, { caller: '12D3KooWAda' });
    expect(ada).toMatchObject({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' } });
    expect(textOf(ada)).toBe('Hello, Ada! You are peer 12D3KooWAda.\n');
    expect(textOf(runInThread(hello, { path: '/' }, { caller: '12D3KooWBob' }))).toBe(
      'Hello, stranger! You are peer 12D3KooWBob.\n',
    );
  });

  it('decodes what browsers encode', () => {
    const outcome = runInThread(hello, { path: '/?x=1&name=J%C3%BCrgen+%F0%9F%99%82&name=no' });
    expect(textOf(outcome)).toContain('Hello, Jürgen 🙂!');
  });

  it('is smaller than 3 KB and needs one page of memory', () => {
    expect(hello.sizeBytes).toBeLessThan(3072);
    expect(runInThread(hello, {}).memoryPagesPeak).toBe(1);
  });
});
