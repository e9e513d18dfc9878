import { Request, Response } from 'workswap';
import {
  TEXT_BYTES_MAX,
  addressOf,
  deletePage,
  isPageName,
  latestRevision,
  pageExists,
  readPage,
  renamePage,
  savePage,
} from './pages';
import { showConflict, showPreview, showRename } from './views';

/** A form escapes most of what is not a letter: three bytes for one. */
const FORM_BYTES_MAX: i32 = 3 * TEXT_BYTES_MAX + 4096;

/** What the forms of a page send. */
export function change(req: Request, name: string): Response {
  if (!isPageName(name)) return Response.text('no page can have this name\n', 404);
  if (req.headers.get('sec-fetch-site') == 'cross-site')
    return Response.text('this form was sent from another site\n', 403);
  if (req.body.length > FORM_BYTES_MAX) return tooLong();
  if (!req.headers.get('content-type').startsWith('application/x-www-form-urlencoded')) {
    return Response.text('send a form, as application/x-www-form-urlencoded\n', 415);
  }
  const action = req.form.get('action');
  if (action == 'save' || action == 'preview') return edit(req, name, action == 'save');
  if (!pageExists(name)) return Response.text('there is no such page\n', 404);
  if (action == 'rename') return rename(req, name);
  if (action == 'delete') {
    deletePage(name, req.timeMs);
    return Response.redirect(addressOf(name));
  }
  return Response.text('action must be save, preview, rename or delete\n', 400);
}

function edit(req: Request, name: string, isSave: bool): Response {
  const form = req.form;
  const text = form.get('text').replaceAll('\r\n', '\n');
  const summary = form.get('summary');
  const base = I64.parseInt(form.get('base', '0'));
  if (String.UTF8.byteLength(text) > TEXT_BYTES_MAX) return tooLong();
  if (!isSave) return showPreview(name, text, summary, base);
  if (base != latestRevision(name)) return showConflict(name, text, summary, base);
  const current = readPage(name);
  if (current === null || current != text) savePage(name, text, summary, req.timeMs);
  return Response.redirect(addressOf(name));
}

function rename(req: Request, name: string): Response {
  const to = req.form.get('to').trimEnd().trimStart();
  if (!isPageName(to))
    return showRename(name, 'No page can have this name: letters, digits, spaces and simple signs.', 422);
  if (to != name) {
    if (pageExists(to)) return showRename(name, 'There is a page of this name already.', 409);
    renamePage(name, to, req.timeMs);
  }
  return Response.redirect(addressOf(to));
}

function tooLong(): Response {
  return Response.text('that is too long: at most 128 KiB of text\n', 413);
}
