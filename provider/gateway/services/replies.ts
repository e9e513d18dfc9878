import { cidText, type SealedReceipt } from '../../../sdk/protocol/index.ts';
import { disposition } from '../content/index.ts';
import { HttpError, matchesTag, type HttpHeaders, type HttpReply, type HttpRequest } from '../http/index.ts';
import type { Answer } from './answer.ts';
import { encodedTags } from './compress.ts';

export type Evidence = 'receipt' | 'car';

/** Takes `format=receipt` or `format=car` out of a query: the gateway's business, the task is the same without. */
export function splitEvidence(query: string): [Evidence | undefined, string] {
  if (!query.includes('format=')) return [undefined, query];
  const parts = query.split('&');
  const found = parts.find((part) => part === 'format=receipt' || part === 'format=car');
  if (found === undefined) return [undefined, query];
  return [found.slice('format='.length) as Evidence, parts.filter((part) => part !== found).join('&')];
}

const TRAILERS = 'x-workswap-receipt, x-workswap-price';

/** A handler's answer, with what the gateway knows about it. */
export function dynamicReply(
  request: HttpRequest,
  status: number,
  headers: HttpHeaders,
  answer: Answer,
  elapsedMs: number,
): HttpReply {
  if (status < 200) {
    throw new HttpError(500, 'HANDLER_FAILED', 'The service failed', {
      fault: 'handler',
      cause: new Error(`status ${status} is not a handler's to send`),
    });
  }
  const isQuery = request.method === 'GET' || request.method === 'HEAD';
  headers['cache-control'] ??= isQuery ? 'private, no-cache' : 'no-store';
  if (!answer.isWhole) {
    headers['trailer'] = TRAILERS;
    headers['server-timing'] = `job;dur=${elapsedMs.toFixed(1)}`;
    const trailers = async (): Promise<Record<string, string>> => receiptHeaders(await answer.receipt);
    return { status, headers, body: answer.body, trailers };
  }
  const { figures, receipt } = answer;
  headers['x-workswap-price'] = String(figures.priceBytes);
  if (receipt !== undefined) headers['x-workswap-receipt'] = cidText(receipt.cid);
  headers['server-timing'] = `job;dur=${elapsedMs.toFixed(1)}, fuel;desc="${figures.fuel}"`;
  if (status === 204 || status === 304) return { status, headers };
  if (isQuery && status === 200) {
    const etag = String((headers['etag'] ??= `"${cidText(figures.output())}"`));
    const known = request.headers['if-none-match'];
    if (known !== undefined && matchesTag(known, encodedTags(etag))) {
      delete headers['content-type'];
      return { status: 304, headers };
    }
  }
  return { status, headers, body: answer.body };
}

function receiptHeaders({ cid, receipt }: SealedReceipt): Record<string, string> {
  return { 'x-workswap-receipt': cidText(cid), 'x-workswap-price': String(receipt.priceBytes) };
}

export function receiptReply(sealed: SealedReceipt): HttpReply {
  return evidenceReply(sealed, 'application/vnd.ipld.dag-cbor', `${sealed.cid}.cbor`, sealed.bytes);
}

export function carReply(sealed: SealedReceipt, car: Uint8Array): HttpReply {
  return evidenceReply(sealed, 'application/vnd.ipld.car; version=1', `${sealed.cid}.car`, car);
}

function evidenceReply(sealed: SealedReceipt, type: string, filename: string, body: Uint8Array): HttpReply {
  const headers = {
    ...receiptHeaders(sealed),
    'content-type': type,
    'content-disposition': disposition('attachment', filename),
    'cache-control': 'no-store',
  };
  return { status: 200, headers, body };
}
