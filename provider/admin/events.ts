import type { HttpReply, HttpRequest } from '../gateway/http/index.ts';
import { figures, type Sampler } from './figures.ts';
import { ADMIN_LIMITS } from './limits.ts';
import type { Provider } from '../provider.ts';

/** Figures as they change, as server-sent events: all samples first, then each new one. */
export function eventsReply(
  request: HttpRequest,
  { provider, sampler, stopping }: { provider: Provider; sampler: Sampler; stopping: AbortSignal },
): HttpReply {
  const headers = { 'content-type': 'text/event-stream' };
  return { status: 200, headers, body: events(provider, sampler, AbortSignal.any([stopping, request.signal])) };
}

async function* events(provider: Provider, sampler: Sampler, ended: AbortSignal): AsyncGenerator<Uint8Array> {
  const tell = (): string => event('figures', { ...figures(provider), ...sampler.accounts });
  let waiting = [event('samples', sampler.samples), tell()];
  let changed = Promise.withResolvers<void>();
  const quiet = sampler.onSample((sample) => {
    waiting.push(tell(), event('sample', sample));
    changed.resolve();
  });
  const wake = (): void => changed.resolve();
  ended.addEventListener('abort', wake);
  try {
    // Who does not read is let go; a browser comes again by itself, and gets all samples.
    while (!ended.aborted && waiting.length <= ADMIN_LIMITS.eventsWaitingMax) {
      const text = waiting.join('');
      waiting = [];
      if (text !== '') yield new TextEncoder().encode(text);
      if (waiting.length > 0) continue;
      await changed.promise;
      changed = Promise.withResolvers<void>();
    }
  } finally {
    quiet();
    ended.removeEventListener('abort', wake);
  }
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
