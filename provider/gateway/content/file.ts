import type { CID } from 'multiformats/cid';
import { NotAFileError, openFile, type StoredFile } from '../../store/index.ts';
import { HttpError, parseRange, type HttpHeaders, type HttpReply, type HttpRequest } from '../http/index.ts';
import type { BlockReader } from './block-reader.ts';
import { sniffType, typeOfName } from './content-type.ts';
import { FILE_PART_BYTES, SNIFF_BYTES } from './limits.ts';

export interface FileAnswer {
  cid: CID;
  /** What the type is told from, before the bytes are. */
  name: string;
  etag: string;
  headers: HttpHeaders;
  /** 200 unless a rule of `_redirects` says otherwise; ranges are only served of a 200. */
  status?: number;
  type?: string;
}

/** A file's bytes, or a range of them, read as fast as the client takes them. */
export async function fileReply(request: HttpRequest, reader: BlockReader, answer: FileAnswer): Promise<HttpReply> {
  const { cid, etag, status = 200 } = answer;
  const file = await openFile(cid, reader.fetch).catch(asHttpError);
  const type = answer.type ?? typeOfName(answer.name) ?? sniffType(await file.read(0, SNIFF_BYTES));
  const headers: HttpHeaders = { ...answer.headers, etag, 'content-type': type, 'accept-ranges': 'bytes' };
  const range = status === 200 && mayRange(request, etag) ? parseRange(request.headers.range, file.size) : undefined;
  if (range === 'unsatisfiable') {
    throw new HttpError(416, 'RANGE_NOT_SATISFIABLE', `The file has ${file.size} bytes`, {
      headers: { 'content-range': `bytes */${file.size}` },
    });
  }
  const start = range?.start ?? 0;
  const end = range === undefined ? file.size : range.end + 1;
  headers['content-length'] = String(end - start);
  if (range !== undefined) headers['content-range'] = `bytes ${start}-${range.end}/${file.size}`;
  return { status: range === undefined ? status : 206, headers, body: await bodyOf(request, file, start, end) };
}

function asHttpError(error: unknown): never {
  if (!(error instanceof NotAFileError)) throw error;
  throw new HttpError(500, 'NOT_UNIXFS', error.message, { cause: error });
}

function mayRange({ headers }: HttpRequest, etag: string): boolean {
  const condition = headers['if-range'];
  return condition === undefined || condition === etag;
}

/** Small files in one piece: a stream costs more than they do. */
async function bodyOf(
  request: HttpRequest,
  file: StoredFile,
  start: number,
  end: number,
): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
  if (request.method !== 'HEAD' && end - start <= FILE_PART_BYTES) return file.read(start, end - start);
  return parts(file, start, end);
}

async function* parts(file: StoredFile, start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let offset = start; offset < end;) {
    // Parts end where the chunks of most files do.
    const length = Math.min(end, (Math.floor(offset / FILE_PART_BYTES) + 1) * FILE_PART_BYTES) - offset;
    yield await file.read(offset, length);
    offset += length;
  }
}
