import { Message, Params, Request, Response, Router } from 'workswap';
import { ENTRIES_PER_PAGE, Entry, entriesBefore, readEntry, removeEntry, signEntry } from './entries';
import { Draft } from './draft';
import { GuestbookPage } from './page';
import { Visitor } from './visitor';
import { changeWatcher, tellWatcher } from './watcher';

/** A browser's form with a message of nothing but escapes is about 10 KB. */
const FORM_BYTES_MAX: i32 = 16 * 1024;

/** A guestbook: README.md describes it. */
export function handle(req: Request): Response {
  return new Router().get('/', show).post('/sign', sign).post('/remove', remove).handle(req);
}

/** `watch` and `unwatch`: README.md. */
export function deliver(message: Message): void {
  changeWatcher(message);
}

function show(req: Request, params: Params): Response {
  return page(req, new Draft(), 200);
}

function sign(req: Request, params: Params): Response {
  const refusal = refuse(req);
  if (refusal !== null) return refusal;
  const draft = Draft.fromForm(req.form);
  // Only programs fill in a field that nobody sees: they are told that it worked.
  if (draft.isTrap) return Response.redirect('./');
  if (draft.hasProblem) return page(req, draft, 422);
  let visitor = Visitor.of(req);
  const response = Response.redirect('./');
  if (!visitor.hasCookie) {
    visitor = Visitor.fresh(req);
    visitor.remember(response);
  }
  const entry = new Entry(-1, draft.name, draft.message, visitor.id, req.timeMs);
  signEntry(entry);
  tellWatcher(entry);
  return response;
}

function remove(req: Request, params: Params): Response {
  const refusal = refuse(req);
  if (refusal !== null) return refusal;
  const entry = readEntry(indexOf(req.form.get('entry')));
  if (entry === null) return problem(404, 'There is no such entry (any more).');
  if (entry.owner != Visitor.of(req).id) return problem(403, 'Only who wrote an entry can remove it.');
  removeEntry(entry.index);
  return Response.redirect('./');
}

function page(req: Request, draft: Draft, status: i32): Response {
  const before = indexOf(req.query.get('before'));
  const entries = entriesBefore(before, ENTRIES_PER_PAGE);
  return new GuestbookPage(Visitor.of(req), draft, entries, before >= 0).response(status);
}

/** Why the form is not even looked at; null when it is fine. */
function refuse(req: Request): Response | null {
  if (req.headers.get('sec-fetch-site') == 'cross-site') return problem(403, 'This form was sent from another site.');
  if (req.body.length > FORM_BYTES_MAX) return problem(413, 'That is too long: at most 16 KiB.');
  if (!req.headers.get('content-type').startsWith('application/x-www-form-urlencoded')) {
    return problem(415, 'Send a form, as application/x-www-form-urlencoded.');
  }
  return null;
}

function problem(status: i32, what: string): Response {
  return Response.text(what + '\n', status);
}

/** The index of an entry, or -1 for what is none. */
function indexOf(text: string): i64 {
  if (text.length == 0 || text.length > 10) return -1;
  for (let i = 0; i < text.length; i++) if (<u32>(text.charCodeAt(i) - 0x30) > 9) return -1;
  return I64.parseInt(text);
}
