import { Json, JsonValue, Request, Response } from 'workswap';
import { Board } from './model';
import { problem } from './problem';
import { readBoard, writeBoard } from './store';

const BODY_BYTES_MAX: i32 = 32 * 1024;
export const TITLE_MAX: i32 = 200;
export const TEXT_MAX: i32 = 4000;

/** What a request wants to change: its body, and the board that its `If-Match` must name the version of. */
export class Change {
  /** The answer when something is wrong. */
  refusal: Response | null = null;
  board: Board = new Board(0, '');
  json: JsonValue = Json.parse('{}');

  /** Without a board: `id` is empty. */
  constructor(
    private req: Request,
    id: string,
  ) {
    this.refusal = this.read(id);
  }

  private read(id: string): Response | null {
    const req = this.req;
    if (req.headers.get('sec-fetch-site') == 'cross-site')
      return problem(403, 'CROSS_SITE', 'The request came from another site.');
    if (req.body.length > BODY_BYTES_MAX) return problem(413, 'TOO_LARGE', 'A body has at most 32 KiB.');
    if (req.method != 'DELETE') {
      if (!req.headers.get('content-type').startsWith('application/json')) {
        return problem(415, 'NOT_JSON', 'Send JSON, as application/json.');
      }
      const json = Json.parse(req.text);
      if (!json.isObject) return problem(400, 'NOT_JSON', 'The body is no JSON object.');
      this.json = json;
    }
    if (id.length == 0) return null;
    const board = readBoard(id);
    if (board === null) return problem(404, 'NO_BOARD', 'There is no such board.');
    this.board = board;
    const expected = req.headers.get('if-match');
    if (expected.length == 0)
      return problem(428, 'NO_VERSION', 'Say in If-Match which version of the board you change.');
    if (expected != board.etag) {
      const detail = 'The board was changed meanwhile: it has version ' + board.version.toString() + ' now.';
      return problem(409, 'VERSION_CONFLICT', detail).header('etag', board.etag);
    }
    return null;
  }

  /** A text of the body without the spaces around it: `fallback` where it is not there. */
  text(name: string, fallback: string): string {
    return this.json.get(name).asString(fallback).trimEnd().trimStart();
  }

  /** A whole number of the body: `fallback` where it is not there, -1 for what is none or out of all range. */
  whole(name: string, fallback: i32): i32 {
    const value = this.json.get(name).asNumber(<f64>fallback);
    return value >= 0 && value <= 1e9 && value == Math.floor(value) ? <i32>value : -1;
  }

  /** Keeps the board, with a new version, and answers it. */
  done(status: i32 = 200): Response {
    this.board.version++;
    writeBoard(this.board);
    return answer(this.board, status);
  }
}

export function answer(board: Board, status: i32 = 200): Response {
  return Response.json(board.toJson(), status).header('etag', board.etag).header('cache-control', 'no-cache');
}

/** Why a title cannot be one; null when it can. */
export function titleProblem(title: string): Response | null {
  if (title.length > 0 && title.length <= TITLE_MAX) return null;
  return problem(422, 'BAD_TITLE', 'A title has 1 to 200 characters.');
}

export function textProblem(text: string): Response | null {
  return text.length <= TEXT_MAX ? null : problem(422, 'BAD_TEXT', 'A text has at most 4,000 characters.');
}
