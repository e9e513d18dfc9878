import { Params, Request, Response } from 'workswap';
import { Change, textProblem, titleProblem } from './change';
import { noColumn } from './columns';
import { CARDS_MAX, Column, indexOfCard, placeCard } from './model';
import { problem } from './problem';

export function addCard(req: Request, params: Params): Response {
  const change = new Change(req, params.get('board'));
  if (change.refusal !== null) return change.refusal!;
  const column = change.board.column(change.whole('column', -1));
  if (column === null) return noColumn();
  const title = change.text('title', '');
  const text = change.text('text', '');
  let wrong = titleProblem(title);
  if (wrong === null) wrong = textProblem(text);
  if (wrong !== null) return wrong;
  if (change.board.cardCount >= CARDS_MAX) return problem(409, 'TOO_MANY', 'A board has at most 500 cards.');
  change.board.addCard(column, title, text);
  return change.done(201);
}

/** Gives a card another title, text, `column` or `position` in it: whatever the body names. */
export function changeCard(req: Request, params: Params): Response {
  const change = new Change(req, params.get('board'));
  if (change.refusal !== null) return change.refusal!;
  const id = I32.parseInt(params.get('card'));
  const from: Column | null = change.board.columnOf(id);
  if (from === null) return noCard();
  const at = indexOfCard(from, id);
  const card = from.cards[at];
  const title = change.text('title', card.title);
  const text = change.text('text', card.text);
  let wrong = titleProblem(title);
  if (wrong === null) wrong = textProblem(text);
  if (wrong !== null) return wrong;
  const json = change.json;
  const to: Column | null = json.has('column') ? change.board.column(change.whole('column', -1)) : from;
  if (to === null) return noColumn();
  card.title = title;
  card.text = text;
  if (json.has('column') || json.has('position')) {
    from.cards.splice(at, 1);
    placeCard(to, card, change.whole('position', CARDS_MAX));
  }
  return change.done();
}

export function removeCard(req: Request, params: Params): Response {
  const change = new Change(req, params.get('board'));
  if (change.refusal !== null) return change.refusal!;
  const id = I32.parseInt(params.get('card'));
  const column: Column | null = change.board.columnOf(id);
  if (column === null) return noCard();
  column.cards.splice(indexOfCard(column, id), 1);
  return change.done();
}

function noCard(): Response {
  return problem(404, 'NO_CARD', 'There is no such card on this board.');
}
