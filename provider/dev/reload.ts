import type { ServerResponse } from 'node:http';
import { DEV_LIMITS, DEV_PREFIX } from './limits.ts';

/** What a page loads to be told of changes. When the server comes back after a restart, that is a change too. */
export const RELOAD_SCRIPT = `const events = new EventSource('${DEV_PREFIX}/events');
let lost = false;
events.onerror = () => { lost = true; };
events.onopen = () => { if (lost) location.reload(); };
events.addEventListener('reload', () => location.reload());
`;

const TAG = `<script src="${DEV_PREFIX}/reload.js" defer></script>`;

/** Puts the script into a page: before its end, where it does not change what a handler wrote. */
export function withReload(html: string): string {
  const at = html.toLowerCase().lastIndexOf('</body>');
  return at < 0 ? html + TAG : html.slice(0, at) + TAG + html.slice(at);
}

/** Browsers that wait to be told. */
export class ReloadHub {
  readonly #listeners = new Set<ServerResponse>();

  listen(response: ServerResponse): void {
    if (this.#listeners.size >= DEV_LIMITS.listenersMax) {
      response.writeHead(503).end('too many pages wait for a reload\n');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('retry: 500\n\n');
    this.#listeners.add(response);
    response.on('close', () => this.#listeners.delete(response));
  }

  get count(): number {
    return this.#listeners.size;
  }

  reload(): void {
    for (const listener of this.#listeners) listener.write('event: reload\ndata: 1\n\n');
  }

  close(): void {
    for (const listener of this.#listeners) listener.end();
  }
}
