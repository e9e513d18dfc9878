import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What is under way on one connection. */
interface Pipeline {
  answers: number;
  /** The request that was read last; what the parser refuses is its body, or what stands behind it. */
  request: IncomingMessage;
  response: ServerResponse;
}

/**
 * Answers what the parser refused. Nothing behind it on the connection can be trusted to be a request, so the connection
 * ends. While another answer is under way there, it ends without one: the client, or a proxy, would take it for the
 * answer to the request before, or find it in the middle of a body.
 */
export function refuseMalformed(server: Server): void {
  const pipelines = new WeakMap<Socket, Pipeline>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const pipeline = pipelines.get(request.socket);
    if (pipeline === undefined) pipelines.set(request.socket, { answers: 1, request, response });
    else {
      pipeline.answers += 1;
      pipeline.request = request;
      pipeline.response = response;
    }
    response.on('close', closed);
  });
  function closed(this: ServerResponse): void {
    pipelines.get(this.req.socket)!.answers -= 1;
  }
  server.on('clientError', ({ code }: NodeJS.ErrnoException, socket: Socket) => {
    // What stands behind the last request of a connection; its answer comes, and then the end.
    if (code === 'HPE_CLOSED_CONNECTION') return;
    const pipeline = pipelines.get(socket);
    if (!socket.writable || !mayAnswer(pipeline)) socket.destroy();
    else
      socket.end(
        `HTTP/1.1 ${STATUSES[code ?? ''] ?? '400 Bad Request'}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
      );
  });
}

function mayAnswer(pipeline: Pipeline | undefined): boolean {
  if (pipeline === undefined) return true;
  const { answers, request, response } = pipeline;
  if (request.complete) return answers === 0;
  return answers === 1 && !response.headersSent;
}

const STATUSES: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Content Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};
