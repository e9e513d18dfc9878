import { fileURLToPath } from 'node:url';
import { buildHandler } from '../sdk/build/index.ts';

const built = new Map<string, Promise<Uint8Array>>();

/** The module of one of the project's handlers, built once in a test file. */
export function buildModule(name: string): Promise<Uint8Array> {
  let module = built.get(name);
  if (module === undefined) {
    const source = fileURLToPath(new URL(`../handlers/${name}/assembly/index.ts`, import.meta.url));
    module = buildHandler(source).then(({ wasm }) => wasm);
    built.set(name, module);
  }
  return module;
}
