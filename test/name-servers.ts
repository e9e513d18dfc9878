import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Servers that know names, on loopback. */

interface Router {
  url: string;
  records: Map<string, Buffer>;
}

export async function httpServer(answer: RequestListener): Promise<string> {
  const http = createServer(answer).listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

/** Delegated Routing V1 for IPNS, which keeps what it is given. */
export async function delegatedRouter(): Promise<Router> {
  const records = new Map<string, Buffer>();
  const url = await httpServer((request, response) => {
    const name = request.url!.replace('/routing/v1/ipns/', '');
    if (request.method === 'PUT') {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        records.set(name, Buffer.concat(chunks));
        response.writeHead(200).end();
      });
      return;
    }
    const record = records.get(name);
    if (record === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'application/vnd.ipfs.ipns-record' }).end(record);
  });
  return { url, records };
}

/** A DNS server that knows some TXT records, or answers with whatever bytes it is told to. */
export async function dnsServer(
  zone: Record<string, string[]>,
  { garbage, onQuery }: { garbage?: Buffer; onQuery?: () => void } = {},
): Promise<string> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    onQuery?.();
    socket.send(
      garbage === undefined ? dnsAnswer(query, zone) : Buffer.concat([query.subarray(0, 2), garbage]),
      port,
      address,
    );
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return `127.0.0.1:${socket.address().port}`;
}

function dnsAnswer(query: Buffer, zone: Record<string, string[]>): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (; query[at] !== 0; at += query[at]! + 1) labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!));
  const question = query.subarray(12, at + 5);
  const texts = zone[labels.join('.').toLowerCase()] ?? [];
  const header = Buffer.from([
    query[0]!,
    query[1]!,
    0x81,
    texts.length === 0 ? 0x83 : 0x80,
    0,
    1,
    0,
    texts.length,
    0,
    0,
    0,
    0,
  ]);
  const answers = texts.map((text) => {
    // A TXT record is strings of at most 255 bytes; ours is in two or more, as a long one would be.
    const parts = [text.slice(0, 20), ...(text.slice(20).match(/.{1,255}/gs) ?? [])].map((part) =>
      Buffer.concat([Buffer.from([part.length]), Buffer.from(part)]),
    );
    const data = Buffer.concat(parts);
    return Buffer.concat([
      Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length & 255]),
      data,
    ]);
  });
  return Buffer.concat([header, question, ...answers]);
}
