import { $, ago, bytes, count, element, id, showTiles, table } from './elements.js';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** Where a gateway shows a service: at an origin of its own where names lead to it. */
function addressOf({ service, short }, { url }) {
  const { hostname, port } = new URL(url);
  if (LOOPBACK.includes(hostname)) return `http://${short ?? service}.localhost:${port}/`;
  return `${url}/workswap/${service}/`;
}

const nameText = ({ service, short }) => short ?? id(service);

function link(href, content) {
  return element('a', { href }, [content]);
}

/** Of the services that run a handler, before its CID. */
export function nameOf({ services: rows }, handler) {
  const names = rows.filter((row) => row.handler === handler && row.short !== undefined).map(({ short }) => short);
  return names.length === 0 ? '' : `${names.join(', ')} `;
}

export function services({ services: rows, hosted, gateway: open }) {
  $('services-note').textContent =
    rows.length < hosted ? `The ${count(rows.length)} with the most commits, of ${count(hosted)}.` : '';
  const rooted = (cid) => (open === null ? id(cid) : link(`${open.url}/ipfs/${cid}`, id(cid)));
  table(
    'services',
    [
      ['service', (row) => (open === null ? nameText(row) : link(addressOf(row, open), nameText(row)))],
      ['state root', ({ root }) => rooted(root)],
      ['commits here', ({ commits }) => count(commits), true],
      ['last', ({ history: [newest] }) => (newest === undefined ? '–' : ago(newest.timeMs)), true],
      ['messages waiting', ({ messages: { waiting } }) => count(waiting), true],
      ['handler', ({ handler }) => id(handler)],
      ['site', ({ site }) => (site === undefined ? '–' : rooted(site))],
      ['visitors paid by', ({ sponsor }) => (sponsor === 'maintainer' ? 'its maintainer' : 'themselves')],
      ['published until', ({ expiresMs }) => new Date(expiresMs).toISOString().slice(0, 10)],
    ],
    rows,
    'None yet: “workswap publish PROJECT” makes one.',
  );
}

/** What services sent and recipients have not, with the reason. */
export function messages({ services: rows }) {
  const all = rows.flatMap((row) => row.messages.undelivered.map((message) => ({ row, ...message })));
  $('messages-part').hidden = all.length === 0;
  table(
    'messages',
    [
      ['service', ({ row }) => nameText(row)],
      ['to', ({ to }) => id(to)],
      ['since', ({ endedMs }) => (endedMs === undefined ? 'waits' : `given up ${ago(endedMs)}`)],
      ['code', ({ code }) => element('code', { text: code })],
      ['why', ({ reason }) => reason],
    ],
    all,
    'All are delivered.',
  );
}

/** The last commits of the service that is chosen. */
export function history({ services: rows }) {
  const chooser = $('history-of');
  const names = rows.map(({ service }) => service);
  $('history-part').hidden = rows.length === 0;
  if ([...chooser.options].map(({ value }) => value).join() !== names.join()) {
    const chosen = chooser.value;
    chooser.replaceChildren(
      ...rows.map(({ service, short }) => element('option', { value: service, text: short ?? service })),
    );
    if (names.includes(chosen)) chooser.value = chosen;
  }
  const { history: commits = [] } = rows.find(({ service }) => service === chooser.value) ?? {};
  table(
    'history',
    [
      ['commit', ({ commit }) => id(commit)],
      ['updates', ({ updates }) => (updates === 0 ? 'rolled back' : count(updates)), true],
      ['state root after it', ({ root }) => id(root)],
      ['when', ({ timeMs }) => ago(timeMs), true],
    ],
    commits,
    'Its state was never changed.',
  );
}

export function gateway({ gateway: open }) {
  $('gateway-part').hidden = open === null;
  if (open === null) {
    $('gateway-note').textContent =
      'It is off: “workswap provider --gateway 127.0.0.1:8080” serves the services as web sites.';
    return;
  }
  $('gateway-note').replaceChildren('Serves at ', link(open.url, open.url));
  showTiles('gateway-tiles', [
    ['Requests answered', count(open.requestsAnswered), `${count(open.requestsUnderWay)} under way`],
    ['Visitors', count(open.visitors), `${count(open.connections)} connections`],
    ['Work open', bytes(open.visitorsOwedBytes), 'of all visitors; time forgives it'],
  ]);
  table(
    'refused',
    [
      ['refused', ([code]) => element('code', { text: code })],
      ['times', ([, times]) => count(times), true],
    ],
    Object.entries(open.refused).toSorted(([, a], [, b]) => b - a),
    'No request was refused.',
  );
}
