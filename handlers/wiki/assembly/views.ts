import { Html, Response } from 'workswap';
import { ADDED, KEPT, diffLines } from './diff';
import { beginPage, endPage, pageLink, timeTag } from './layout';
import { Markdown } from './markdown/render';
import { WikiLinks } from './markdown/wiki-links';
import { addressOf, latestRevision, pageExists, readPage, readRevision } from './pages';

export function show(name: string, rev: string): Response {
  if (rev.length > 0) return showRevision(name, rev);
  const text = readPage(name);
  if (text === null) {
    const html = beginPage(name);
    html.raw('<p class="soft">This page does not exist yet.</p>\n<p><a class="button" href="');
    html.text(addressOf(name)).raw('?action=edit">Write it</a>');
    if (latestRevision(name) > 0) {
      html.raw(' ');
      pageLink(html, addressOf(name) + '?action=history', 'Its history');
    }
    return endPage(html.raw('</p>\n'), 404);
  }
  const html = beginPage(name);
  article(html, text);
  html.raw('<nav class="tools" aria-label="This page">');
  const actions = ['edit', 'history', 'rename', 'delete'];
  const labels = ['Edit', 'History', 'Rename', 'Delete'];
  for (let i = 0; i < actions.length; i++) {
    html
      .raw('<a class="button plain" href="')
      .text(addressOf(name))
      .raw('?action=')
      .raw(actions[i])
      .raw('">')
      .raw(labels[i])
      .raw('</a>');
  }
  return endPage(html.raw('</nav>\n'));
}

function showRevision(name: string, rev: string): Response {
  const revision = readRevision(name, I64.parseInt(rev));
  if (revision === null) return Response.text('there is no such revision\n', 404);
  const html = beginPage(name);
  html.raw('<p class="note">Revision ').raw(revision.number.toString()).raw(' of ');
  timeTag(html, revision.timeMs);
  html.raw('. ');
  pageLink(html, addressOf(name), 'The page as it is now');
  html.raw('</p>\n');
  article(html, revision.text);
  return endPage(html);
}

export function showDiff(name: string, to: string): Response {
  const after = readRevision(name, I64.parseInt(to));
  if (after === null) return Response.text('there is no such revision\n', 404);
  const before = readRevision(name, after.number - 1);
  const html = beginPage('What changed in ' + name);
  html.raw('<p>Revision ').raw(after.number.toString()).raw(' of ');
  timeTag(html, after.timeMs);
  html.raw('. ');
  pageLink(html, addressOf(name) + '?action=history', 'All revisions');
  html.raw('</p>\n');
  diffTable(html, before === null ? '' : before.text, after.text);
  return endPage(html);
}

export function diffTable(html: Html, before: string, after: string): void {
  const lines = diffLines(before, after);
  html.raw('<div class="diff">\n');
  for (let i = 0; i < lines.length; i++) {
    const kind = lines[i].kind;
    if (kind == KEPT) html.raw('<div>').text(lines[i].text).raw('</div>\n');
    else
      html
        .raw(kind == ADDED ? '<ins>' : '<del>')
        .text(lines[i].text)
        .raw(kind == ADDED ? '</ins>\n' : '</del>\n');
  }
  html.raw('</div>\n');
}

export function showEdit(name: string): Response {
  const text = readPage(name);
  const html = beginPage('Edit ' + name);
  editForm(html, name, text === null ? '' : text, '', latestRevision(name));
  return endPage(html);
}

export function showPreview(name: string, text: string, summary: string, base: i64): Response {
  const html = beginPage('Preview of ' + name);
  html.raw('<p class="note" role="status">This is not saved yet.</p>\n');
  article(html, text);
  editForm(html, name, text, summary, base);
  return endPage(html);
}

/** Somebody else was faster: their change, and the text that is not saved, to be put together by hand. */
export function showConflict(name: string, text: string, summary: string, base: i64): Response {
  const current = readPage(name);
  const old = readRevision(name, base);
  const html = beginPage('Edit ' + name);
  html.raw(
    '<p class="note bad" role="alert">This page was changed while you wrote. Nothing is lost: below is what the other ',
  );
  html.raw('changed, and then your text. Put both together and save again.</p>\n');
  diffTable(html, old === null ? '' : old.text, current === null ? '' : current);
  editForm(html, name, text, summary, latestRevision(name));
  return endPage(html, 409);
}

export function editForm(html: Html, name: string, text: string, summary: string, base: i64): void {
  html
    .raw('<form class="edit" method="post" action="')
    .text(addressOf(name))
    .raw('">\n<input type="hidden" name="base" value="');
  html
    .raw(base.toString())
    .raw('">\n<label for="text">Text <span class="soft">in Markdown; [[Name]] links a page</span></label>\n');
  html.raw('<textarea id="text" name="text" rows="18" spellcheck="true">\n').text(text).raw('</textarea>\n');
  html.raw('<label for="summary">What you changed <span class="soft">(optional)</span></label>\n');
  html.raw('<input id="summary" name="summary" maxlength="120" autocomplete="off" value="').text(summary);
  html.raw('">\n<div class="tools"><button name="action" value="save">Save</button>');
  html.raw('<button class="plain" name="action" value="preview">Preview</button>');
  html.raw('<a class="button plain" href="').text(addressOf(name)).raw('">Cancel</a></div>\n</form>\n');
}

export function showRename(name: string, problem: string, status: i32): Response {
  const html = beginPage('Rename ' + name);
  html
    .raw('<form class="edit" method="post" action="')
    .text(addressOf(name))
    .raw('">\n<label for="to">New name</label>\n');
  html.raw('<input id="to" name="to" required maxlength="120" autocomplete="off" value="').text(name).raw('"');
  html.raw(
    problem.length > 0 ? ' aria-invalid="true" aria-describedby="problem">\n<p class="bad" id="problem">' : '>\n',
  );
  if (problem.length > 0) html.text(problem).raw('</p>\n');
  html.raw('<p class="soft">Links to the old name are not changed.</p>\n');
  html.raw('<div class="tools"><button name="action" value="rename">Rename</button></div>\n</form>\n');
  return endPage(html, status);
}

export function showDelete(name: string): Response {
  const html = beginPage('Delete ' + name);
  html
    .raw('<form class="edit" method="post" action="')
    .text(addressOf(name))
    .raw('">\n<p>The page goes, its history stays.</p>\n');
  html.raw(
    '<div class="tools"><button name="action" value="delete">Delete the page</button><a class="button plain" href="',
  );
  html.text(addressOf(name)).raw('">Keep it</a></div>\n</form>\n');
  return endPage(html);
}

function article(html: Html, text: string): void {
  html
    .raw('<article>\n')
    .raw(Markdown.render(text, new WikiLinks(addressOf, pageExists), 1))
    .raw('</article>\n');
}
