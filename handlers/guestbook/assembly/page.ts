import { Html, Response } from 'workswap';
import { MESSAGE_MAX, NAME_MAX, Draft } from './draft';
import { Entry, EntryPage } from './entries';
import { Visitor, hexValue } from './visitor';

/** Everything comes from here, and nothing runs. */
const POLICY: string =
  "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** The page: a form, and the entries that it leads to. */
export class GuestbookPage {
  private html: Html = new Html();

  constructor(
    private visitor: Visitor,
    private draft: Draft,
    private page: EntryPage,
    private isOlder: bool,
  ) {}

  response(status: i32): Response {
    const html = this.html;
    html.raw('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n');
    html.raw('<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>');
    html.raw(this.draft.hasProblem ? 'Not signed yet' : 'Guestbook').raw('</title>\n<link rel="icon" href="data:,">\n');
    html.raw('<link rel="stylesheet" href="style.css">\n</head>\n<body>\n<header>\n<h1>Guestbook</h1>\n<p>Hello, <b>');
    html.text(this.visitor.nickname).raw('</b>. It is good that you came by.</p>\n</header>\n<main>\n');
    this.form();
    this.entries();
    html.raw('</main>\n</body>\n</html>\n');
    return Response.page(html, status)
      .header('content-security-policy', POLICY)
      .header('cache-control', 'private, no-cache')
      .header('vary', 'cookie')
      .header('referrer-policy', 'same-origin');
  }

  private form(): void {
    const html = this.html;
    const draft = this.draft;
    html.raw('<form method="post" action="sign" aria-labelledby="sign">\n<h2 id="sign">Leave a word</h2>\n');
    if (draft.hasProblem) html.raw('<p class="problem" role="alert">Your entry is not saved yet.</p>\n');
    html.raw(
      '<div><label for="name">Your name</label>\n<input id="name" name="name" required autocomplete="name" maxlength="',
    );
    html.raw(NAME_MAX.toString()).raw('" value="').text(draft.name).raw('"');
    this.problemOf('name', draft.nameProblem, '></div>\n');
    html.raw(
      '<div><label for="message">Your message</label>\n<textarea id="message" name="message" rows="4" required maxlength="',
    );
    html.raw(MESSAGE_MAX.toString()).raw('"');
    html.raw(draft.messageProblem.length > 0 ? ' aria-invalid="true" aria-describedby="message-problem">\n' : '>\n');
    html.text(draft.message).raw('</textarea>');
    if (draft.messageProblem.length > 0)
      html.raw('<p class="problem" id="message-problem">').text(draft.messageProblem).raw('</p>');
    html.raw('</div>\n<div class="trap" aria-hidden="true"><label for="website">Leave this empty</label>');
    html.raw(
      '<input id="website" name="website" tabindex="-1" autocomplete="off"></div>\n<button>Sign the book</button>\n</form>\n',
    );
  }

  /** The rest of an input's tag, and what is wrong with what is in it. */
  private problemOf(field: string, problem: string, end: string): void {
    const html = this.html;
    if (problem.length == 0) {
      html.raw(end);
      return;
    }
    html.raw(' aria-invalid="true" aria-describedby="').raw(field).raw('-problem"><p class="problem" id="').raw(field);
    html.raw('-problem">').text(problem).raw('</p').raw(end);
  }

  private entries(): void {
    const html = this.html;
    const entries = this.page.entries;
    html
      .raw('<section aria-labelledby="entries">\n<h2 id="entries">')
      .raw(this.isOlder ? 'Older entries' : 'What others wrote');
    html.raw('</h2>\n');
    if (entries.length == 0) html.raw('<p class="soft">Nothing here yet. Yours could be the first.</p>\n');
    else {
      html.raw('<ol class="entries" role="list">\n');
      for (let i = 0; i < entries.length; i++) this.entry(entries[i]);
      html.raw('</ol>\n');
    }
    if (this.isOlder || this.page.olderBefore > 0) {
      html.raw('<nav aria-label="Pages">');
      if (this.isOlder) html.raw('<a class="button plain" href="./">Newest</a>');
      if (this.page.olderBefore > 0) {
        html
          .raw('<a class="button plain" rel="next" href="./?before=')
          .raw(this.page.olderBefore.toString())
          .raw('">Older</a>');
      }
      html.raw('</nav>\n');
    }
    html.raw('</section>\n');
  }

  private entry(entry: Entry): void {
    const html = this.html;
    const isOwn = this.visitor.hasCookie && entry.owner == this.visitor.id;
    html.raw(isOwn ? '<li class="own">' : '<li>').raw('<article>\n<header><span class="mark hue-');
    html
      .raw((hexValue(entry.owner, 2) & 7).toString())
      .raw('" aria-hidden="true">')
      .text(initialOf(entry.name));
    html.raw('</span><h3>').text(entry.name).raw('</h3>');
    if (isOwn) html.raw('<span class="tag">yours</span>');
    const iso = new Date(entry.timeMs).toISOString();
    html.raw('<time datetime="').raw(iso).raw('">').raw(readableTime(iso)).raw('</time></header>\n<p class="message">');
    html.text(entry.message).raw('</p>\n');
    if (isOwn) {
      html
        .raw('<form method="post" action="remove"><input type="hidden" name="entry" value="')
        .raw(entry.index.toString());
      html.raw('"><button class="plain">Remove<span class="unseen"> your entry</span></button></form>\n');
    }
    html.raw('</article></li>\n');
  }
}

/** The first letter; of a pair of surrogates, both. */
function initialOf(name: string): string {
  return String.fromCodePoint(name.codePointAt(0)).toUpperCase();
}

/** `25 Nov 2026, 06:31 UTC` from `2026-11-25T06:31:00.000Z`. */
function readableTime(iso: string): string {
  const months = 'JanFebMarAprMayJunJulAugSepOctNovDec';
  const month = 3 * (I32.parseInt(iso.substring(5, 7)) - 1);
  const day = I32.parseInt(iso.substring(8, 10)).toString();
  return (
    day + ' ' + months.substring(month, month + 3) + ' ' + iso.substring(0, 4) + ', ' + iso.substring(11, 16) + ' UTC'
  );
}
