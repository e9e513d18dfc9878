import { Response } from 'workswap';
import { beginPage, endPage, pageLink, timeTag } from './layout';
import { addressOf, latestRevision, pageNames, readPage, readRevision, recentChanges } from './pages';

const CHANGES_MAX: i32 = 50;
const NAMES_MAX: i32 = 500;
const RESULTS_MAX: i32 = 50;
/** Pages that one search reads. */
const SEARCHED_MAX: i32 = 1000;
const EXCERPT: i32 = 80;

export function index(after: string): Response {
  const html = beginPage('All pages');
  const names = pageNames(after, NAMES_MAX);
  if (names.length == 0)
    html.raw('<p class="soft">No pages yet. <a href="./Home?action=edit">Write the first.</a></p>\n');
  html.raw('<ul class="index">\n');
  for (let i = 0; i < names.length; i++) {
    html.raw('<li>');
    pageLink(html, addressOf(names[i]), names[i]);
    html.raw('</li>\n');
  }
  html.raw('</ul>\n');
  if (names.length == NAMES_MAX) {
    html
      .raw('<p><a rel="next" href="./_index?after=')
      .raw(encodeURIComponent(names[names.length - 1]))
      .raw('">More</a></p>\n');
  }
  return endPage(html);
}

export function recent(): Response {
  const html = beginPage('Recent changes');
  const changes = recentChanges(CHANGES_MAX);
  if (changes.length == 0) html.raw('<p class="soft">Nothing has happened yet.</p>\n');
  html.raw('<ul class="rows">\n');
  for (let i = 0; i < changes.length; i++) {
    const change = changes[i];
    html.raw('<li>');
    pageLink(html, addressOf(change.name), change.name);
    html.raw(' <span class="soft">').text(change.summary).raw('</span> <span class="end">');
    pageLink(html, addressOf(change.name) + '?action=diff&to=' + change.revision.toString(), 'what changed');
    html.raw(' ');
    timeTag(html, change.timeMs);
    html.raw('</span></li>\n');
  }
  html.raw('</ul>\n');
  return endPage(html);
}

export function history(name: string): Response {
  const html = beginPage('History of ' + name);
  html.raw('<p>');
  pageLink(html, addressOf(name), 'Back to the page');
  html.raw('</p>\n<ul class="rows">\n');
  const latest = latestRevision(name);
  for (let number = latest; number > 0 && number > latest - CHANGES_MAX; number--) {
    const revision = readRevision(name, number);
    if (revision === null) continue;
    html.raw('<li>');
    pageLink(html, addressOf(name) + '?rev=' + number.toString(), 'Revision ' + number.toString());
    html.raw(' <span class="soft">').text(revision.summary).raw('</span> <span class="end">');
    pageLink(html, addressOf(name) + '?action=diff&to=' + number.toString(), 'what changed');
    html.raw(' ');
    timeTag(html, revision.timeMs);
    html.raw('</span></li>\n');
  }
  html.raw('</ul>\n');
  return endPage(html);
}

export function search(query: string): Response {
  const html = beginPage('Search', query);
  const wanted = query.toLowerCase();
  if (wanted.length == 0) return endPage(html.raw('<p class="soft">Type a word into the field above.</p>\n'));
  const names = pageNames('', SEARCHED_MAX);
  let found = 0;
  html.raw('<ul class="results">\n');
  for (let i = 0; i < names.length && found < RESULTS_MAX; i++) {
    const text = readPage(names[i]);
    if (text === null) continue;
    const at = text.toLowerCase().indexOf(wanted);
    if (at < 0 && !names[i].toLowerCase().includes(wanted)) continue;
    found++;
    html.raw('<li>');
    pageLink(html, addressOf(names[i]), names[i]);
    const start = max(0, at - EXCERPT);
    html
      .raw('<p class="soft">')
      .text(text.substring(start, start + 3 * EXCERPT))
      .raw('</p></li>\n');
  }
  html
    .raw('</ul>\n<p role="status">')
    .raw(found.toString())
    .raw(found == 1 ? ' page' : ' pages')
    .raw(' found.</p>\n');
  return endPage(html);
}
