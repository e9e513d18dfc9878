import { StateEntry, state } from 'workswap';

export const TEXT_BYTES_MAX: i32 = 128 * 1024;
const NAME_BYTES_MAX: i32 = 120;
const SUMMARY_MAX: i32 = 120;
const LIST_MAX: i32 = 1000;

/** One version of a page, as its history keeps it. */
export class Revision {
  constructor(
    public number: i64,
    public timeMs: i64,
    /** What whoever saved it says about it. */
    public summary: string,
    public text: string,
  ) {}
}

export class Change {
  constructor(
    public name: string,
    public revision: i64,
    public timeMs: i64,
    public summary: string,
  ) {}
}

/** Whether a page may have this name: it is a file's name and a part of addresses, and `_` begins the wiki's own. */
export function isPageName(name: string): bool {
  if (name.length == 0 || String.UTF8.byteLength(name) > NAME_BYTES_MAX) return false;
  const first = name.charCodeAt(0);
  if (first == 0x5f || first == 0x2e || first == 0x20 || name.endsWith(' ')) return false;
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0) || '/\\<>"`|[]{}#?%'.includes(name.charAt(i))) return false;
    if ((unit & 0xf800) == 0xd800 || (unit >= 0x2028 && unit <= 0x202e) || (unit >= 0x2066 && unit <= 0x2069))
      return false;
  }
  return true;
}

export function addressOf(name: string): string {
  return isPageName(name) ? './' + encodeURIComponent(name) : '';
}

export function pageExists(name: string): bool {
  return isPageName(name) && state.exists(fileOf(name));
}

/** A page as it is now: null when there is none. */
export function readPage(name: string): string | null {
  return state.readText(fileOf(name));
}

/** The number of the newest revision: 0 for a page that never was. It goes on when a page is deleted and made again. */
export function latestRevision(name: string): i64 {
  const text = state.readText('latest/' + name);
  return text === null ? 0 : I64.parseInt(text);
}

export function savePage(name: string, text: string, summary: string, timeMs: i64): i64 {
  const number = addRevision(name, text, summary, timeMs);
  state.writeText(fileOf(name), text);
  return number;
}

/** Takes the page away; its history stays. */
export function deletePage(name: string, timeMs: i64): void {
  state.remove(fileOf(name));
  addRevision(name, '', 'Deleted', timeMs);
}

export function renamePage(from: string, to: string, timeMs: i64): void {
  const text = readPage(from);
  state.remove(fileOf(from));
  addRevision(from, '', 'Renamed to ' + to, timeMs);
  savePage(to, text === null ? '' : text, 'Renamed from ' + from, timeMs);
}

export function readRevision(name: string, number: i64): Revision | null {
  const file = number > 0 ? state.readText(revisionFile(name, number)) : null;
  if (file === null) return null;
  const timeEnd = file.indexOf('\n');
  const summaryEnd = file.indexOf('\n', timeEnd + 1);
  const timeMs = I64.parseInt(file.substring(0, timeEnd));
  return new Revision(number, timeMs, file.substring(timeEnd + 1, summaryEnd), file.substring(summaryEnd + 2));
}

/** The names of pages behind `after`, in the order of their bytes. */
export function pageNames(after: string, limit: i32 = LIST_MAX): string[] {
  const entries: StateEntry[] = state.list('pages', after.length > 0 ? after + '.md' : '', limit);
  const names = new Array<string>();
  for (let i = 0; i < entries.length; i++) names.push(entries[i].name.slice(0, -3));
  return names;
}

/** The newest changes, at most `limit`. */
export function recentChanges(limit: i32): Change[] {
  const changes = new Array<Change>();
  for (let number = changeCount(); number > 0 && changes.length < limit; number--) {
    const text = state.readText(changeFile(number));
    if (text === null) break;
    const parts = text.split('\n');
    changes.push(new Change(parts[0], I64.parseInt(parts[1]), I64.parseInt(parts[2]), parts[3]));
  }
  return changes;
}

function addRevision(name: string, text: string, summary: string, timeMs: i64): i64 {
  const number = latestRevision(name) + 1;
  const line = oneLine(summary);
  state.writeText('latest/' + name, number.toString());
  state.writeText(revisionFile(name, number), timeMs.toString() + '\n' + line + '\n\n' + text);
  const change = changeCount() + 1;
  state.writeText('changes/latest', change.toString());
  state.writeText(changeFile(change), name + '\n' + number.toString() + '\n' + timeMs.toString() + '\n' + line);
  return number;
}

function changeCount(): i64 {
  const text = state.readText('changes/latest');
  return text === null ? 0 : I64.parseInt(text);
}

function oneLine(text: string): string {
  let line = '';
  const length = min(text.length, SUMMARY_MAX);
  for (let i = 0; i < length; i++) line += text.charCodeAt(i) < 0x20 ? ' ' : text.charAt(i);
  return line;
}

function fileOf(name: string): string {
  return 'pages/' + name + '.md';
}

function revisionFile(name: string, number: i64): string {
  return 'revisions/' + name + '/' + number.toString().padStart(10, '0') + '.md';
}

function changeFile(number: i64): string {
  return 'changes/' + number.toString().padStart(10, '0');
}
