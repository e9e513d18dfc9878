import { Params, Request, Response } from 'workswap';
import { Change, titleProblem } from './change';
import { COLUMNS_MAX, Column } from './model';
import { problem } from './problem';

export function addColumn(req: Request, params: Params): Response {
  const change = new Change(req, params.get('board'));
  if (change.refusal !== null) return change.refusal!;
  const title = change.text('title', '');
  const wrong = titleProblem(title);
  if (wrong !== null) return wrong;
  if (change.board.columns.length >= COLUMNS_MAX) return problem(409, 'TOO_MANY', 'A board has at most 20 columns.');
  change.board.addColumn(title);
  return change.done(201);
}

/** Gives a column another title, another `position` among the columns, or both. */
export function changeColumn(req: Request, params: Params): Response {
  const change = new Change(req, params.get('board'));
  if (change.refusal !== null) return change.refusal!;
  const columns = change.board.columns;
  const column = change.board.column(I32.parseInt(params.get('column')));
  if (column === null) return noColumn();
  const title = change.text('title', column.title);
  const wrong = titleProblem(title);
  if (wrong !== null) return wrong;
  column.title = title;
  if (change.json.has('position')) {
    const to = max(0, min(columns.length - 1, change.whole('position', 0)));
    columns.splice(columns.indexOf(column), 1);
    columns.push(column);
    for (let i = columns.length - 1; i > to; i--) {
      columns[i] = columns[i - 1];
      columns[i - 1] = column;
    }
  }
  return change.done();
}

export function removeColumn(req: Request, params: Params): Response {
  const change = new Change(req, params.get('board'));
  if (change.refusal !== null) return change.refusal!;
  const column: Column | null = change.board.column(I32.parseInt(params.get('column')));
  if (column === null) return noColumn();
  if (column.cards.length > 0) return problem(409, 'NOT_EMPTY', 'Move or remove the cards of the column first.');
  change.board.columns.splice(change.board.columns.indexOf(column), 1);
  return change.done();
}

export function noColumn(): Response {
  return problem(404, 'NO_COLUMN', 'There is no such column on this board.');
}
