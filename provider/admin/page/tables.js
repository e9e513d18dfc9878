import { $, ago, bytes, count, element, id, peerName, short, showTiles, table } from './elements.js';
import { nameOf } from './services.js';

/** How much, and which part of it was blocks and which was work. */
function amount(all, blocks, work) {
  const whole = blocks + work || 1;
  const parts = [blocks, work].map((part) => {
    const made = element('i');
    made.style.width = `${(part / whole) * 100}%`;
    return made;
  });
  const title = `blocks ${bytes(blocks)}, work ${bytes(work)}`;
  return element('div', { class: 'amount' }, [
    bytes(all),
    element('div', { class: 'bar', title, role: 'img', 'aria-label': title }, parts),
  ]);
}

export function tiles(figures) {
  const { jobs, sandbox, totals } = figures;
  const all = [
    ['Running', count(jobs.running), `${count(sandbox.queued)} queued, ${sandbox.threads} threads`],
    ['Finished', count(jobs.finished), `${count(jobs.failed)} failed, ${count(jobs.refused)} refused`],
    ['Peers owe us', bytes(totals.owedToUs), `${count(figures.read)} accounts`],
    ['We owe peers', bytes(totals.owedByUs), ''],
    ['Connections', count(figures.connections), ''],
    ['Memory', bytes(figures.residentBytes), `up ${count(figures.upMs / 60000)} min`],
  ];
  showTiles('tiles', all);
}

export function accounts({ accounts: rows, more, read }) {
  $('accounts-note').textContent =
    `Balance above zero: the peer owes us. Bars: blocks in blue, work in green.` +
    (more ? ` Only the first ${count(read)} accounts are counted here.` : '');
  table(
    'accounts',
    [
      ['peer', peerName],
      ['balance', ({ balance }) => bytes(balance), true],
      ['limit', ({ limit }) => bytes(limit), true],
      ['we gave', (row) => amount(row.sent, row.blocksSent, row.workSent)],
      ['we got', (row) => amount(row.recv, row.blocksRecv, row.workRecv)],
      ['rule', ({ override }) => rule(override)],
      ['change', (row) => changeButton(row)],
    ],
    rows,
    'Nothing was exchanged with anybody yet.',
  );
}

function rule(override) {
  if (override === null) return 'general';
  if (typeof override === 'string')
    return element('span', { text: override, class: override === 'blocked' ? 'bad' : 'ok' });
  return bytes(override.limitBytes ?? 0);
}

function changeButton({ peer, limit }) {
  const button = element('button', { text: 'Change …', 'aria-label': `Change the rule of ${peer}` });
  button.addEventListener('click', () => {
    $('peer-id').textContent = peer;
    $('peer-limit').value = String(limit);
    $('peer').returnValue = '';
    $('peer').showModal();
  });
  return button;
}

const ended = ({ code }) => element('span', { text: code, class: code === 'OK' ? 'ok' : 'bad' });
const handlerOf = (figures) => (row) => element('span', {}, [nameOf(figures, row.handler), id(row.handler)]);

export function jobs(figures) {
  const { live, recent, peerId } = figures;
  const job = [
    // Visitors of the own gateway have no key.
    ['consumer', ({ consumer }) => (consumer === peerId ? 'our gateway' : id(consumer))],
    ['handler', handlerOf(figures)],
    ['request', ({ method, path }) => element('code', { text: `${method} ${path}` })],
  ];
  table(
    'live',
    [...job, ['for', ({ startedMs }) => `${count(Date.now() - startedMs)} ms`, true]],
    live,
    'No job runs now.',
  );
  table(
    'recent',
    [
      ...job,
      ['end', ended],
      ['time', ({ elapsedMs }) => `${count(elapsedMs)} ms`, true],
      ['fuel', ({ fuel }) => count(fuel), true],
      ['price', ({ priceBytes }) => bytes(priceBytes), true],
    ],
    recent,
    'No job has ended yet.',
  );
}

export function handlers(figures) {
  const order = $('order').value;
  table(
    'handlers',
    [
      ['handler', handlerOf(figures)],
      ['jobs', (row) => count(row.jobs), true],
      ['failed', (row) => count(row.failed), true],
      ['mean', (row) => `${(row.elapsedMs / row.jobs).toFixed(1)} ms`, true],
      ['slowest', (row) => `${count(row.elapsedMsMax)} ms`, true],
      ['fuel', (row) => count(row.fuel), true],
      ['price', (row) => bytes(row.priceBytes), true],
      ['last', (row) => ago(row.lastMs), true],
    ],
    figures.handlers.toSorted((a, b) => b[order] - a[order]),
    'No handler has run yet.',
  );
}

export function failures({ failures: rows }) {
  table(
    'failures',
    [
      ['error', ({ code }) => element('code', { text: code })],
      ['fault', ({ fault }) => fault],
      ['times', (row) => count(row.count), true],
      ['last', (row) => ago(row.lastMs), true],
      ['the last one said', ({ message }) => message],
    ],
    rows,
    'There were none.',
  );
}

const RATES = {
  job: 'a job',
  compile: 'KiB compiled',
  input: 'KiB of input',
  output: 'KiB of output',
  read: 'KiB read',
  write: 'KiB written',
  fuel: '10⁹ fuel',
  memory: 'page and 10⁹ fuel',
};

export function tariff({ tariff: { cid, rates, changedHere } }) {
  $('tariff-note').textContent =
    `Bytes for each … Signed as ${short(cid)}${changedHere ? ', changed on this page' : ''}.`;
  const form = $('tariff');
  // Not while somebody types.
  if (form.contains(document.activeElement) || form.dataset['cid'] === cid) return;
  form.dataset['cid'] = cid;
  form.replaceChildren(
    ...Object.entries(rates).map(([name, value]) =>
      element('label', { text: RATES[name] ?? name }, [
        element('input', { name, value: String(value), inputmode: 'numeric', pattern: '[0-9]+', required: '' }),
      ]),
    ),
    element('button', { text: 'Change the tariff' }),
  );
}
