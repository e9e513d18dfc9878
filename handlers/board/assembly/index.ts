import { Params, Request, Response, Router } from 'workswap';
import { addCard, changeCard, removeCard } from './cards';
import { Change, answer, titleProblem } from './change';
import { addColumn, changeColumn, removeColumn } from './columns';
import { Board } from './model';
import { problem } from './problem';
import { BOARDS_MAX, boardCount, boardList, newBoardId, readBoard, removeBoard } from './store';

/** The API behind the page in public/: README.md describes it. */
export function handle(req: Request): Response {
  return new Router()
    .get('/api/boards', (req: Request, params: Params) =>
      Response.json(boardList()).header('cache-control', 'no-cache'),
    )
    .post('/api/boards', addBoard)
    .get('/api/boards/:board', showBoard)
    .patch('/api/boards/:board', changeBoard)
    .delete('/api/boards/:board', deleteBoard)
    .post('/api/boards/:board/columns', addColumn)
    .patch('/api/boards/:board/columns/:column', changeColumn)
    .delete('/api/boards/:board/columns/:column', removeColumn)
    .post('/api/boards/:board/cards', addCard)
    .patch('/api/boards/:board/cards/:card', changeCard)
    .delete('/api/boards/:board/cards/:card', removeCard)
    .handle(req);
}

function addBoard(req: Request, params: Params): Response {
  const change = new Change(req, '');
  if (change.refusal !== null) return change.refusal!;
  const title = change.text('title', '');
  const wrong = titleProblem(title);
  if (wrong !== null) return wrong;
  if (boardCount() >= BOARDS_MAX) return problem(409, 'TOO_MANY', 'There are 100 boards already.');
  change.board = new Board(newBoardId(), title);
  change.board.addColumn('To do');
  change.board.addColumn('Doing');
  change.board.addColumn('Done');
  return change.done(201).header('location', './boards/' + change.board.id.toString());
}

function showBoard(req: Request, params: Params): Response {
  const board = readBoard(params.get('board'));
  if (board === null) return problem(404, 'NO_BOARD', 'There is no such board.');
  if (req.headers.get('if-none-match') == board.etag) return new Response(304).header('etag', board.etag);
  return answer(board);
}

function changeBoard(req: Request, params: Params): Response {
  const change = new Change(req, params.get('board'));
  if (change.refusal !== null) return change.refusal!;
  const title = change.text('title', change.board.title);
  const wrong = titleProblem(title);
  if (wrong !== null) return wrong;
  change.board.title = title;
  return change.done();
}

function deleteBoard(req: Request, params: Params): Response {
  const change = new Change(req, params.get('board'));
  if (change.refusal !== null) return change.refusal!;
  removeBoard(change.board);
  return new Response(204);
}
