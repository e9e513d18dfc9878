import type { Pin } from '../../pinning/index.ts';

/** The PinStatus object of the specification. All of `info` is text. */
export function statusOf(pin: Pin, delegates: string[]): object {
  const { id, status, createdMs, cid, name, origins, meta } = pin;
  return {
    requestid: id,
    status,
    created: new Date(createdMs).toISOString(),
    pin: {
      cid,
      ...(name === undefined ? {} : { name }),
      ...(origins.length === 0 ? {} : { origins }),
      ...(Object.keys(meta).length === 0 ? {} : { meta }),
    },
    delegates,
    info: infoOf(pin),
  };
}

function infoOf(pin: Pin): Record<string, string> {
  const { status, blocks, bytes, attempts, nextMs, error, pinnedMs, paidUntilMs, paidBytes } = pin;
  const notice = error === undefined ? '' : ` ${error.message}`;
  const details: Record<Pin['status'], string> = {
    queued: 'Waits for its turn.',
    pinning: `${blocks} blocks, ${bytes} bytes are here.`,
    pinned: `All ${blocks} blocks, ${bytes} bytes, are here.${notice}`,
    failed: `${error?.code}: ${error?.message}${nextMs === undefined ? '' : ' It will be tried again.'}`,
  };
  return {
    status_details: details[status],
    blocks: String(blocks),
    [status === 'pinned' ? 'dag_size' : 'bytes']: String(bytes),
    ...(pinnedMs === undefined ? {} : { pinned_at: new Date(pinnedMs).toISOString() }),
    ...(paidUntilMs === undefined ? {} : { pinned_until: new Date(paidUntilMs).toISOString() }),
    ...(paidBytes === 0 ? {} : { paid_bytes: String(paidBytes) }),
    ...(error === undefined ? {} : { error_code: error.code }),
    ...(attempts === 0 ? {} : { failed_attempts: String(attempts) }),
    ...(status !== 'failed' || nextMs === undefined ? {} : { next_attempt: new Date(nextMs).toISOString() }),
  };
}
