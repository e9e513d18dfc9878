import type { MessagesFigures } from '../services/index.ts';
import { formatAgo } from './output.ts';

/** What a service sent and is not delivered, for `--json`. */
export function messagesJson({ ended, ...figures }: MessagesFigures) {
  return {
    ...figures,
    ended: ended.map(({ id, ...message }) => ({ id: Buffer.from(id).toString('hex'), ...message })),
  };
}

/** The same below an endpoint; nothing when all is delivered. */
export function messagesLines({ waiting, waitingBytes, holdups, ended }: MessagesFigures): string {
  if (waiting === 0 && ended.length === 0) return '';
  const nowMs = Date.now();
  const lines = [`\n  messages  ${waiting} wait (${waitingBytes} bytes)`];
  for (const { to, code, reason, attempts } of holdups)
    lines.push(`    to ${to}: ${attempts} attempts, ${code}: ${reason}`);
  for (const { to, code, reason, endedMs } of ended) {
    lines.push(`    to ${to}: given up (${formatAgo(nowMs - endedMs)}), ${code}: ${reason}`);
  }
  return lines.join('\n');
}
