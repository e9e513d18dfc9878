import { readFileSync, readdirSync } from 'node:fs';

/** `recursion` is what spends its time in calling itself and nothing else; its goal stands apart. */
export type Kind = 'kernel' | 'recursion' | 'program';

export interface Program {
  name: string;
  kind: Kind;
  /** The same source built for speed and for size. */
  layouts: string[];
}

const recursions = new Set(['fibonacci', 'tak', 'ackermann']);
const here = new URL('./', import.meta.url);

/** Everything in wasm/, kernels first. */
export function listPrograms(): Program[] {
  const kernels = new Set(readdirSync(new URL('kernels/', here)).map((file) => file.replace(/\.\w+$/, '')));
  const names = readdirSync(new URL('wasm/', here)).map((file) => file.replace(/\.\w+\.wasm$/, ''));
  const kindOf = (name: string): Kind =>
    recursions.has(name) ? 'recursion' : kernels.has(name) ? 'kernel' : 'program';
  const order: Kind[] = ['kernel', 'recursion', 'program'];
  return [...new Set(names)]
    .map((name) => ({ name, kind: kindOf(name), layouts: [`${name}.speed`, `${name}.size`] }))
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

export function readLayout(layout: string): Uint8Array {
  return readFileSync(new URL(`wasm/${layout}.wasm`, here));
}
