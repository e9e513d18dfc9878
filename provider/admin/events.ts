import type { HttpReply, HttpRequest } from '../gateway/http/index.ts';
import type { Sample, Sampler } from './figures.ts';
import { ADMIN_LIMITS } from './limits.ts';

/** Figures as they change, as server-sent events: all samples first, then each new one. */
export function eventsReply(request: HttpRequest, sampler: Sampler, stopping: AbortSignal): HttpReply {
  const headers = { 'content-type': 'text/event-stream' };
  return { status: 200, headers, body: events(sampler, AbortSignal.any([stopping, request.signal])) };
}

async function* events(sampler: Sampler, ended: AbortSignal): AsyncGenerator<Uint8Array> {
  const waiting: Sample[] = [];
  let changed = Promise.withResolvers<void>();
  const quiet = sampler.onSample((sample) => {
    waiting.push(sample);
    changed.resolve();
  });
  const wake = (): void => changed.resolve();
  ended.addEventListener('abort', wake);
  try {
    let text = event('samples', sampler.samples);
    // Who does not read is let go; a browser comes again by itself, and gets all samples.
    while (!ended.aborted && waiting.length <= ADMIN_LIMITS.eventsWaitingMax) {
      yield new TextEncoder().encode(text + event('figures', await sampler.figures()));
      if (waiting.length === 0) await changed.promise;
      changed = Promise.withResolvers<void>();
      text = waiting
        .splice(0)
        .map((sample) => event('sample', sample))
        .join('');
    }
  } finally {
    quiet();
    ended.removeEventListener('abort', wake);
  }
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
