/** The entry's path as the compiler sees it, beside the author's file; it exists nowhere. */
export const ENTRY_FILE = 'workswap-entry.ts';

/** The same for what takes messages, where the author's file does. */
export const DELIVER_ENTRY_FILE = 'workswap-deliver.ts';

/** What an author's file must offer; said wherever it does not. */
export const HANDLE_SIGNATURE = 'export function handle(req: Request): Response';
export const DELIVER_SIGNATURE = 'export function deliver(message: Message): void';

/** The global functions that a plain module would ask the host for, and what the SDK puts in their place. */
export const GLOBAL_ALIASES = {
  abort: '~lib/workswap/abort/abort',
  seed: '~lib/workswap/globals/seed',
  trace: '~lib/workswap/globals/trace',
};

/** Files of the standard library that the SDK replaces, by their name there and in the SDK. */
export const REPLACED_LIBRARY_FILES = { 'rt/stub': 'std/stub.ts', 'bindings/dom': 'std/dom.ts' };

/**
 * The file that is compiled: it turns the author's `handle` into the one that the ABI asks for. `module` is the
 * author's file, beside which the entry pretends to stand.
 */
export function entrySource(module: string): string {
  return `import { Request, Response, badRequest } from 'workswap/serve';
import { handle as author } from ${JSON.stringify(`./${module}`)};

export function handle(): void {
  const request = Request.read();
  const response: Response = request === null ? badRequest() : author(request);
  response.flush();
}
`;
}

/** As `entrySource`, for the author's `deliver`. */
export function deliverEntrySource(module: string): string {
  return `import { Message, Request, badRequest, taken } from 'workswap/serve';
import { deliver as author } from ${JSON.stringify(`./${module}`)};

export function deliver(): void {
  const request = Request.read();
  if (request === null) {
    badRequest().flush();
    return;
  }
  author(new Message(request));
  taken().flush();
}
`;
}
