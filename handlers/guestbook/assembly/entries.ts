import { state } from 'workswap';

export const ENTRIES_PER_PAGE: i32 = 20;
/** Entries that were removed leave gaps; so many are looked at for one page. */
const GAPS_MAX: i32 = 200;
const NEXT: string = 'next';

/** What somebody wrote. A file for each in the state: name, time and owner in a line each, an empty line, the message. */
export class Entry {
  constructor(
    public index: i64,
    public name: string,
    public message: string,
    /** The id of the visitor who wrote it; see visitor.ts. */
    public owner: string,
    public timeMs: i64,
  ) {}
}

/** The entries of a page, and where the next page of older ones begins: 0 when there are none. */
export class EntryPage {
  entries: Entry[] = [];
  olderBefore: i64 = 0;
}

export function entryCount(): i64 {
  const text = state.readText(NEXT);
  return text === null ? 0 : I64.parseInt(text);
}

/** The newest entries whose index is below `before`, or of all where it is negative. */
export function entriesBefore(before: i64, limit: i32): EntryPage {
  const page = new EntryPage();
  const count = entryCount();
  let index = (before < 0 ? count : min(before, count)) - 1;
  for (let gaps = 0; index >= 0 && page.entries.length < limit && gaps < GAPS_MAX; index--) {
    const entry = readEntry(index);
    if (entry === null) gaps++;
    else page.entries.push(entry);
  }
  page.olderBefore = index + 1;
  return page;
}

export function readEntry(index: i64): Entry | null {
  if (index < 0) return null;
  const text = state.readText(pathOf(index));
  if (text === null) return null;
  const nameEnd = text.indexOf('\n');
  const timeEnd = text.indexOf('\n', nameEnd + 1);
  const ownerEnd = text.indexOf('\n', timeEnd + 1);
  const timeMs = I64.parseInt(text.substring(nameEnd + 1, timeEnd));
  return new Entry(
    index,
    text.substring(0, nameEnd),
    text.substring(ownerEnd + 2),
    text.substring(timeEnd + 1, ownerEnd),
    timeMs,
  );
}

export function signEntry(entry: Entry): void {
  const index = entryCount();
  state.writeText(NEXT, (index + 1).toString());
  state.writeText(
    pathOf(index),
    entry.name + '\n' + entry.timeMs.toString() + '\n' + entry.owner + '\n\n' + entry.message,
  );
}

export function removeEntry(index: i64): void {
  state.remove(pathOf(index));
}

/** Names of ten digits, so that a list of the directory is in order. */
function pathOf(index: i64): string {
  return 'entries/' + index.toString().padStart(10, '0');
}
