import * as api from './api.js';
import { enableDragging } from './drag.js';
import { make, show } from './view.js';

const main = document.querySelector('main');
const chooser = document.querySelector('#boards');
const status = document.querySelector('#status');

/** The board as the handler last answered it. */
let board;
/** Changes go one after the other, each on the version that the one before it made. */
let turn = Promise.resolve();

const actions = { add, move, remove };

function say(text, isBad = false) {
  status.textContent = text;
  status.classList.toggle('bad', isBad);
}

/** Shows at once what a change will do, and then what became of it: the handler's answer is the truth. */
function change(preview, send, done) {
  const next = structuredClone(board);
  preview(next);
  show(next, actions);
  turn = turn.then(async () => {
    try {
      board = await send(board);
      say(done);
    } catch (error) {
      if (error.code === 'VERSION_CONFLICT') {
        board = await api.readBoard(board.id);
        say('Somebody else changed the board meanwhile. This is how it is now; please try again.', true);
      } else {
        say(error.message, true);
      }
    }
    show(board, actions);
  });
}

function take(next, id) {
  for (const column of next.columns) {
    const at = column.cards.findIndex((card) => card.id === id);
    if (at >= 0) return column.cards.splice(at, 1)[0];
  }
  return undefined;
}

function add(column, title) {
  change(
    (next) => next.columns.find(({ id }) => id === column).cards.push({ id: 0, title, text: '', isUnsaved: true }),
    (current) => api.addCard(current, column, title),
    `Added ${title}.`,
  );
}

function move(id, column, position) {
  const target = board.columns.find((other) => other.id === column);
  change(
    (next) => {
      const card = take(next, id);
      next.columns.find((other) => other.id === column).cards.splice(position, 0, { ...card, isUnsaved: true });
    },
    (current) => api.changeCard(current, id, { column, position }),
    `Moved to ${target.title}, place ${position + 1}.`,
  );
}

function remove(id) {
  change(
    (next) => take(next, id),
    (current) => api.removeCard(current, id),
    'Removed.',
  );
}

async function open(id) {
  board = await api.readBoard(id);
  show(board, actions);
}

async function listBoards(selected) {
  const boards = await api.listBoards();
  chooser.replaceChildren(...boards.map(({ id, title }) => make('option', { value: id, textContent: title })));
  chooser.hidden = boards.length < 2;
  if (selected !== undefined) chooser.value = selected;
  return boards;
}

chooser.addEventListener('change', () => open(chooser.value));

document.querySelector('#add-board').addEventListener('click', async () => {
  const title = prompt('What is the board called?')?.trim();
  if (!title) return;
  try {
    board = await api.addBoard(title);
    await listBoards(board.id);
    show(board, actions);
  } catch (error) {
    say(error.message, true);
  }
});

enableDragging(main, move);

try {
  const boards = await listBoards();
  if (boards.length > 0) await open(boards[0].id);
  else say('No board yet. Make the first one.');
} catch {
  say('The board could not be reached.', true);
}
