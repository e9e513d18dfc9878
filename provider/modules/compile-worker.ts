import { WorkswapError, type Fault } from '../../sdk/protocol/errors.ts';
import { compileModule, type Compiled } from './compile.ts';

/** Errors lose their class on the way between threads. */
export type CompileAnswer = { compiled: Compiled } | { refused: { code: string; message: string; fault: Fault } };

export default function compileInWorker(bytes: Uint8Array): CompileAnswer {
  try {
    return { compiled: compileModule(bytes) };
  } catch (error) {
    if (!(error instanceof WorkswapError)) throw error;
    const { code, message, fault } = error;
    return { refused: { code, message, fault } };
  }
}
