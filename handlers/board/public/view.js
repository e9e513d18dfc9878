/** An element with properties, and what is in it. Texts are set as texts, so nothing in them is HTML. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function button(label, text, isDisabled, onclick) {
  const element = make('button', {
    type: 'button',
    className: 'plain',
    textContent: text,
    disabled: isDisabled,
    onclick,
  });
  element.setAttribute('aria-label', label);
  return element;
}

function cardView(board, columnAt, cardAt, actions) {
  const column = board.columns[columnAt];
  const card = column.cards[cardAt];
  const move = (toColumn, position) => () => actions.move(card.id, board.columns[toColumn].id, position);
  const neighbour = (step) => board.columns[columnAt + step]?.title ?? '';
  const item = make(
    'li',
    { className: card.isUnsaved ? 'card unsaved' : 'card', draggable: true },
    make('h3', { textContent: card.title }),
    ...(card.text === '' ? [] : [make('p', { textContent: card.text })]),
    make(
      'div',
      { className: 'moves' },
      button(`Move ${card.title} to ${neighbour(-1)}`, '←', columnAt === 0, move(columnAt - 1, 0)),
      button(`Move ${card.title} up`, '↑', cardAt === 0, move(columnAt, cardAt - 1)),
      button(`Move ${card.title} down`, '↓', cardAt === column.cards.length - 1, move(columnAt, cardAt + 1)),
      button(
        `Move ${card.title} to ${neighbour(1)}`,
        '→',
        columnAt === board.columns.length - 1,
        move(columnAt + 1, 0),
      ),
      button(`Remove ${card.title}`, '×', false, () => actions.remove(card.id)),
    ),
  );
  item.dataset.card = card.id;
  return item;
}

function columnView(board, at, actions) {
  const column = board.columns[at];
  const list = make(
    'ol',
    { className: 'cards', role: 'list' },
    ...column.cards.map((_card, i) => cardView(board, at, i, actions)),
  );
  const input = make('input', {
    name: 'title',
    required: true,
    maxLength: 200,
    placeholder: 'New card',
    autocomplete: 'off',
  });
  input.setAttribute('aria-label', `New card in ${column.title}`);
  const form = make('form', {}, input, make('button', { textContent: 'Add' }));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    actions.add(column.id, input.value);
  });
  const heading = make(
    'h2',
    { id: `column-${column.id}` },
    column.title,
    make('span', { className: 'count', textContent: column.cards.length }),
  );
  const section = make('section', { className: 'column' }, heading, list, form);
  section.setAttribute('aria-labelledby', heading.id);
  section.dataset.column = column.id;
  return section;
}

/** Shows the board anew, and leaves the focus on what had it. */
export function show(board, actions) {
  const main = document.querySelector('main');
  const focused = document.activeElement;
  const key = focused?.closest?.('[data-card]')?.dataset.card;
  const place = key === undefined ? -1 : [...focused.parentElement.children].indexOf(focused);
  const formOf = focused?.closest?.('form')?.closest('[data-column]')?.dataset.column;
  document.querySelector('#title').textContent = board.title;
  document.title = `${board.title} – Board`;
  main.replaceChildren(...board.columns.map((_column, at) => columnView(board, at, actions)));
  if (key !== undefined) {
    const buttons = main.querySelectorAll(`[data-card="${key}"] button`);
    const next = buttons[place]?.disabled ? [...buttons].find((other) => !other.disabled) : buttons[place];
    next?.focus();
  } else if (formOf !== undefined) {
    main.querySelector(`[data-column="${formOf}"] input`)?.focus();
  }
}
