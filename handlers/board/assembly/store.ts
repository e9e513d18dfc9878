import { Json, JsonWriter, state } from 'workswap';
import { Board } from './model';

export const BOARDS_MAX: i32 = 100;

export function readBoard(id: string): Board | null {
  const text = isId(id) ? state.readText(fileOf(id)) : null;
  return text === null ? null : Board.fromJson(Json.parse(text));
}

export function writeBoard(board: Board): void {
  state.writeText(fileOf(board.id.toString()), board.toJson());
}

export function removeBoard(board: Board): void {
  state.remove(fileOf(board.id.toString()));
}

export function boardCount(): i32 {
  return state.list('boards', '', BOARDS_MAX).length;
}

/** Ids are never used again: a link to a removed board must not lead to another. */
export function newBoardId(): i32 {
  const text = state.readText('last-board');
  const id = (text === null ? 0 : I32.parseInt(text)) + 1;
  state.writeText('last-board', id.toString());
  return id;
}

/** All boards, without what is on them. */
export function boardList(): string {
  const json = new JsonWriter().object().key('boards').array();
  const files = state.list('boards', '', BOARDS_MAX);
  for (let i = 0; i < files.length; i++) {
    const board = readBoard(files[i].name.slice(0, -5));
    if (board === null) continue;
    json
      .object()
      .key('id')
      .number(board.id)
      .key('title')
      .string(board.title)
      .key('cards')
      .number(board.cardCount)
      .end();
  }
  return json.end().end().toString();
}

function fileOf(id: string): string {
  return 'boards/' + id + '.json';
}

export function isId(text: string): bool {
  if (text.length == 0 || text.length > 9 || text.charCodeAt(0) == 0x30) return false;
  for (let i = 0; i < text.length; i++) if (<u32>(text.charCodeAt(i) - 0x30) > 9) return false;
  return true;
}
