import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outgoing } from '../../sdk/protocol/index.ts';
import type { LineFuel, Profile } from '../profile/index.ts';
import { flameGraph } from '../profile/index.ts';
import type { MemoryState, Project } from '../workbench/index.ts';
import { DEV_LIMITS, DEV_PREFIX } from './limits.ts';
import type { RequestRecord } from './records.ts';

const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:70rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.3rem}a{color:light-dark(#0b57a4,#8ec5ff)}
pre{padding:1rem;overflow:auto;background:light-dark(#f3f4f6,#1d2229);border-radius:6px;font-size:.875rem}
.bad{color:light-dark(#b3261e,#ff9b92)}
table{border-collapse:collapse;width:100%;font-size:.9rem}td,th{padding:.25rem .75rem .25rem 0;text-align:left;vertical-align:top;border-bottom:1px solid light-dark(#ddd,#333)}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}svg{max-width:100%;height:auto}`;

export function escape(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title><meta name="viewport" content="width=device-width">
<style>${STYLE}</style></head><body>
<nav><a href="/">the site</a> · <a href="${DEV_PREFIX}/">requests</a> · <a href="${DEV_PREFIX}/state">state</a></nav>
${body}
</body></html>
`;
}

export function buildErrorPage(message: string): string {
  return page('Does not build', `<h1 class="bad">The handler does not build</h1>\n<pre>${escape(message)}</pre>`);
}

/** What a handler's failure looks like to its author; a visitor of the published site gets a plain 500. */
export async function failurePage(project: Project, { result, id }: RequestRecord): Promise<string> {
  const { outcome, place } = result;
  const excerpt = place === undefined ? '' : await excerptOf(join(project.handler, '..', place.file), place.line);
  const logs = outcome.logs.map(({ message }) => message).join('\n');
  return page(
    'The handler failed',
    `<h1 class="bad">${escape(outcome.error?.code ?? '')}</h1>
<pre>${escape(outcome.error?.message ?? '')}</pre>
${excerpt === '' ? '' : `<pre>${excerpt}</pre>`}
${logs === '' ? '' : `<h2>Log</h2><pre>${escape(logs)}</pre>`}
<p><a href="${DEV_PREFIX}/profile?id=${id}">where the fuel went</a></p>`,
  );
}

/** The lines around one, which is marked. */
async function excerptOf(file: string, line: number): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return '';
  const first = Math.max(0, line - 4);
  return text
    .split('\n')
    .slice(first, line + 3)
    .map((source, i) => {
      const shown = escape(`${String(first + i + 1).padStart(5)} | ${source}`);
      return first + i + 1 === line ? `<strong class="bad">${shown}</strong>` : shown;
    })
    .join('\n');
}

export function requestsPage(records: readonly RequestRecord[]): string {
  const rows = records.map(({ id, method, path, result: { outcome, priceBytes } }) => {
    const isBad = outcome.error !== undefined;
    const logs = outcome.logs.map(({ message }) => escape(message)).join('<br>');
    const detail = [
      outcome.error === undefined ? '' : `<span class="bad">${escape(outcome.error.message)}</span>`,
      ...(outcome.messages ?? []).map(sentLine),
      logs,
    ];
    return `<tr><td>${escape(method)}</td><td>${escape(path)}</td><td class="n${isBad ? ' bad' : ''}">${outcome.status || 500}</td>
<td class="n">${outcome.fuel.toLocaleString('en-US')}</td><td class="n">${outcome.memoryPagesPeak * 64} KiB</td><td class="n">${priceBytes.toLocaleString('en-US')} B</td>
<td><a href="${DEV_PREFIX}/profile?id=${id}">profile</a></td><td>${detail.filter((part) => part !== '').join('<br>')}</td></tr>`;
  });
  return page(
    'Requests',
    `<h1>Requests, the newest first</h1>
<table><tr><th>method</th><th>path</th><th class="n">status</th><th class="n">fuel</th><th class="n">memory</th><th class="n">price</th><th></th><th></th></tr>
${rows.join('\n')}</table>`,
  );
}

function sentLine({ to, body }: Outgoing): string {
  const text = new TextDecoder().decode(body.subarray(0, DEV_LIMITS.messageShownBytesMax));
  return `sends to ${escape(to)}: ${escape(text)}`;
}

export function profilePage({ method, path }: RequestRecord, profile: Profile): string {
  const total = Math.max(1, profile.fuel);
  const share = (fuel: number): string => `${((100 * fuel) / total).toFixed(1)} %`;
  const functions = profile.functions
    .slice(0, 40)
    .map(
      ({ name, self, calls }) =>
        `<tr><td class="n">${share(self)}</td><td class="n">${self.toLocaleString('en-US')}</td><td class="n">${calls.toLocaleString('en-US')}</td><td>${escape(name)}</td></tr>`,
    );
  // The libraries' lines would push the author's out of sight.
  const isOwn = ({ file }: LineFuel): boolean => !file.startsWith('~lib/') && !file.startsWith('(');
  const rows = (lines: readonly LineFuel[]): string =>
    lines
      .slice(0, 40)
      .map(
        ({ file, line, fuel }) =>
          `<tr><td class="n">${share(fuel)}</td><td class="n">${fuel.toLocaleString('en-US')}</td><td>${escape(file)}${line > 0 ? `:${line}` : ''}</td></tr>`,
      )
      .join('\n');
  const lineHead = '<tr><th class="n">share</th><th class="n">fuel</th><th>line</th></tr>';
  return page(
    'Profile',
    `<h1>${escape(method)} ${escape(path)}: ${profile.fuel.toLocaleString('en-US')} fuel</h1>
${flameGraph(profile, `${method} ${path}`)}
<h2>By function</h2><table><tr><th class="n">share</th><th class="n">fuel</th><th class="n">calls</th><th>function</th></tr>${functions.join('\n')}</table>
<h2>Your lines</h2><table>${lineHead}${rows(profile.lines.filter(isOwn))}</table>
<h2>Lines of the libraries</h2><table>${lineHead}${rows(profile.lines.filter((line) => !isOwn(line)))}</table>`,
  );
}

export function statePage(state: MemoryState, shown: string | undefined): string {
  const rows = state.paths().map((path) => {
    const size = state.file(path)?.length ?? 0;
    return `<tr><td><a href="${DEV_PREFIX}/state?path=${encodeURIComponent(path)}">${escape(path)}</a></td><td class="n">${size}</td></tr>`;
  });
  const file = shown === undefined ? undefined : state.file(shown);
  const content = file === undefined ? '' : new TextDecoder().decode(file.subarray(0, DEV_LIMITS.shownBytesMax));
  return page(
    'State',
    `<h1>State</h1>${file === undefined ? '' : `<h2>${escape(shown ?? '')}</h2><pre>${escape(content)}</pre>`}
<table><tr><th>file</th><th class="n">bytes</th></tr>${rows.join('\n')}</table>
<form method="post" action="${DEV_PREFIX}/state/clear"><p><button>Throw the state away</button></p></form>`,
  );
}
