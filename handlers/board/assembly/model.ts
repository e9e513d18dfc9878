import { JsonValue, JsonWriter } from 'workswap';

export const COLUMNS_MAX: i32 = 20;
export const CARDS_MAX: i32 = 500;

export class Card {
  constructor(
    public id: i32,
    public title: string,
    public text: string,
  ) {}
}

export class Column {
  cards: Card[] = [];

  constructor(
    public id: i32,
    public title: string,
  ) {}
}

/** A board with all that is on it: one file in the state, which has the form in which the API answers it. */
export class Board {
  /** Grows with every change: what an `ETag` says. */
  version: i32 = 0;
  /** The id of the next column or card. */
  nextId: i32 = 1;
  columns: Column[] = [];

  constructor(
    public id: i32,
    public title: string,
  ) {}

  static fromJson(json: JsonValue): Board {
    const board = new Board(<i32>json.get('id').asNumber(), json.get('title').asString());
    board.version = <i32>json.get('version').asNumber();
    board.nextId = <i32>json.get('nextId').asNumber();
    const columns = json.get('columns');
    for (let i = 0; i < columns.length; i++) {
      const column = new Column(<i32>columns.at(i).get('id').asNumber(), columns.at(i).get('title').asString());
      const cards = columns.at(i).get('cards');
      for (let j = 0; j < cards.length; j++) {
        const card = cards.at(j);
        column.cards.push(
          new Card(<i32>card.get('id').asNumber(), card.get('title').asString(), card.get('text').asString()),
        );
      }
      board.columns.push(column);
    }
    return board;
  }

  toJson(): string {
    const json = new JsonWriter().object().key('id').number(this.id).key('title').string(this.title);
    json.key('version').number(this.version).key('nextId').number(this.nextId).key('columns').array();
    for (let i = 0; i < this.columns.length; i++) {
      const column = this.columns[i];
      json.object().key('id').number(column.id).key('title').string(column.title).key('cards').array();
      for (let j = 0; j < column.cards.length; j++) {
        const card = column.cards[j];
        json.object().key('id').number(card.id).key('title').string(card.title).key('text').string(card.text).end();
      }
      json.end().end();
    }
    return json.end().end().toString();
  }

  get etag(): string {
    return '"' + this.version.toString() + '"';
  }

  get cardCount(): i32 {
    let count = 0;
    for (let i = 0; i < this.columns.length; i++) count += this.columns[i].cards.length;
    return count;
  }

  column(id: i32): Column | null {
    for (let i = 0; i < this.columns.length; i++) if (this.columns[i].id == id) return this.columns[i];
    return null;
  }

  /** The column that holds a card, or null. */
  columnOf(card: i32): Column | null {
    for (let i = 0; i < this.columns.length; i++) {
      if (indexOfCard(this.columns[i], card) >= 0) return this.columns[i];
    }
    return null;
  }

  addColumn(title: string): void {
    this.columns.push(new Column(this.nextId++, title));
  }

  addCard(column: Column, title: string, text: string): void {
    column.cards.push(new Card(this.nextId++, title, text));
  }
}

export function indexOfCard(column: Column, card: i32): i32 {
  for (let i = 0; i < column.cards.length; i++) if (column.cards[i].id == card) return i;
  return -1;
}

/** Puts a card at a place in a column; places behind the end are the end. */
export function placeCard(column: Column, card: Card, position: i32): void {
  const cards = column.cards;
  cards.push(card);
  let at = cards.length - 1;
  for (; at > max(0, position); at--) cards[at] = cards[at - 1];
  cards[at] = card;
}
