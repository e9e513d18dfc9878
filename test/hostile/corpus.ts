import { bombs, malformed } from './bombs.ts';
import type { HostileCase } from './case.ts';
import { clocks, imports } from './imports.ts';
import { loops, recursion } from './loops.ts';
import { pointers } from './pointers.ts';
import { memory, output, tables } from './resources.ts';
import { state, wasiFiles } from './state.ts';

/** What strangers may send, by class. */
export const corpus: Record<string, readonly HostileCase[]> = {
  loops,
  recursion,
  memory,
  tables,
  output,
  'pointers into host calls': pointers,
  'calls of the state': state,
  'files of WASI': wasiFiles,
  imports,
  'clocks and other threads': clocks,
  'compile bombs': bombs,
  'malformed modules': malformed,
};
