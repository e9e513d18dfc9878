import uPlot from './uplot.js';

const $ = (id) => document.getElementById(id);
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

function bytes(value) {
  let size = Math.abs(value);
  let unit = 0;
  for (; size >= 1000 && unit < UNITS.length - 1; unit++) size /= 1024;
  return `${value < 0 ? '−' : ''}${size.toFixed(unit === 0 || size >= 100 ? 0 : 1)} ${UNITS[unit]}`;
}

const count = (value) => Math.round(value).toLocaleString('en');
const short = (text) => (text.length > 14 ? `${text.slice(0, 4)}…${text.slice(-8)}` : text);
const ago = (ms) => {
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (seconds < 90) return `${seconds} s ago`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3600)} h ago`;
};

/** Text only, ever: paths and error messages come from strangers. */
function element(name, { text, ...attributes } = {}, children = []) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const id = (text) => element('code', { text: short(text), title: text });

/** @param columns [head, (row) => text or element, is a number?] */
function table(target, columns, rows, none) {
  const cell = (name, content, number) => {
    const made = element(name, number ? { class: 'number' } : {});
    if (name === 'th') made.scope = 'col';
    made.append(content);
    return made;
  };
  const head = element('thead', {}, [
    element(
      'tr',
      {},
      columns.map(([title, , number]) => cell('th', title, number)),
    ),
  ]);
  const lines = rows.map((row) =>
    element(
      'tr',
      {},
      columns.map(([, of, number]) => cell('td', of(row), number)),
    ),
  );
  if (lines.length === 0) {
    lines.push(element('tr', {}, [element('td', { text: none, class: 'none', colspan: String(columns.length) })]));
  }
  $(target).replaceChildren(head, element('tbody', {}, lines));
}

function share(blocks, work) {
  const whole = blocks + work || 1;
  const parts = [blocks, work].map((part) => {
    const made = element('i');
    made.style.width = `${(part / whole) * 100}%`;
    return made;
  });
  const title = `blocks ${bytes(blocks)}, work ${bytes(work)}`;
  return element('div', { class: 'bar', title, role: 'img', 'aria-label': title }, parts);
}

function tiles(figures) {
  const { jobs, sandbox, totals } = figures;
  const all = [
    ['Running', count(jobs.running), `${count(sandbox.queued)} queued, ${sandbox.threads} threads`],
    ['Finished', count(jobs.finished), `${count(jobs.failed)} failed, ${count(jobs.refused)} refused`],
    ['Peers owe us', bytes(totals.owedToUs), `${count(figures.read)} accounts`],
    ['We owe peers', bytes(totals.owedByUs), ''],
    ['Connections', count(figures.connections), ''],
    ['Memory', bytes(figures.residentBytes), `up ${count(figures.upMs / 60000)} min`],
  ];
  $('tiles').replaceChildren(
    ...all.map(([name, value, note]) =>
      element('dl', { class: 'tile' }, [
        element('dt', { text: name }),
        element('dd', { text: value }),
        element('small', { text: note }),
      ]),
    ),
  );
}

function accounts({ accounts: rows, more, read }) {
  $('accounts-note').textContent =
    `Balance above zero: the peer owes us. Bars: blocks in blue, work in green.` +
    (more ? ` Only the first ${count(read)} accounts are counted here.` : '');
  table(
    'accounts',
    [
      [
        'peer',
        ({ peer, connected }) =>
          element('span', {}, [
            id(peer),
            connected ? element('span', { text: ' ●', class: 'ok', title: 'connected' }) : '',
          ]),
      ],
      ['balance', ({ balance }) => bytes(balance), true],
      ['limit', ({ limit }) => bytes(limit), true],
      ['we gave', ({ sent }) => bytes(sent), true],
      ['', (row) => share(row.blocksSent, row.workSent)],
      ['we got', ({ recv }) => bytes(recv), true],
      ['', (row) => share(row.blocksRecv, row.workRecv)],
      ['rule', ({ override }) => rule(override)],
      ['', (row) => changeButton(row)],
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
  const button = element('button', { text: 'Change', 'aria-label': `Change the rule of ${peer}` });
  button.addEventListener('click', () => {
    $('peer-id').textContent = peer;
    $('peer-limit').value = String(limit);
    $('peer').returnValue = '';
    $('peer').showModal();
  });
  return button;
}

const ended = ({ code }) => element('span', { text: code, class: code === 'OK' ? 'ok' : 'bad' });
const job = [
  ['consumer', ({ consumer }) => id(consumer)],
  ['handler', ({ handler }) => id(handler)],
  ['request', ({ method, path }) => element('code', { text: `${method} ${path}` })],
];

function jobs({ live, recent }) {
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

function handlers({ handlers: rows }) {
  const order = $('order').value;
  table(
    'handlers',
    [
      ['handler', ({ handler }) => id(handler)],
      ['jobs', (row) => count(row.jobs), true],
      ['failed', (row) => count(row.failed), true],
      ['mean', (row) => `${(row.elapsedMs / row.jobs).toFixed(1)} ms`, true],
      ['slowest', (row) => `${count(row.elapsedMsMax)} ms`, true],
      ['fuel', (row) => count(row.fuel), true],
      ['price', (row) => bytes(row.priceBytes), true],
      ['last', (row) => ago(row.lastMs), true],
    ],
    rows.toSorted((a, b) => b[order] - a[order]),
    'No handler has run yet.',
  );
}

function failures({ failures: rows }) {
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

function tariff({ tariff: { cid, rates, changedHere } }) {
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

function show(figures) {
  $('identity').replaceChildren(element('code', { text: figures.peerId }));
  tiles(figures);
  // A button must not vanish under the operator's hand.
  if (!$('accounts').contains(document.activeElement)) accounts(figures);
  jobs(figures);
  handlers(figures);
  failures(figures);
  tariff(figures);
  $('wants').textContent = figures.wants.length === 0 ? '' : `Wanted now: ${figures.wants.map(short).join(', ')}`;
}

// Charts

let samples = [];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
/** Canvas does not know light-dark(), so the colour is asked of an element. */
function inkOf(name) {
  const probe = element('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color || colour(name);
}

const perSecond = (of) => (sample, i) => {
  const before = samples[i - 1];
  if (before === undefined) return null;
  return Math.max(0, (of(sample) - of(before)) / ((sample.timeMs - before.timeMs) / 1000));
};
const CHARTS = [
  [
    'chart-jobs',
    count,
    [
      ['ended', '--blue', (s) => s.jobsPerSecond],
      ['failed', '--red', (s) => s.failedPerSecond],
    ],
  ],
  [
    'chart-owed',
    bytes,
    [
      ['peers owe us', '--blue', (s) => s.owedToUs],
      ['we owe', '--green', (s) => s.owedByUs],
    ],
  ],
  [
    'chart-bytes',
    bytes,
    [
      ['blocks', '--blue', perSecond((s) => s.blocksSent + s.blocksRecv)],
      ['work', '--green', perSecond((s) => s.workSent + s.workRecv)],
    ],
  ],
  ['chart-memory', bytes, [['resident', '--blue', (s) => s.residentBytes]]],
];
let plots = [];
/** Steps of an axis of bytes. */
const POWERS = Array.from({ length: 50 }, (_, power) => 2 ** power);

function data(series) {
  return [samples.map(({ timeMs }) => timeMs / 1000), ...series.map(([, , of]) => samples.map(of))];
}

function drawAll() {
  for (const plot of plots) plot.destroy();
  const grid = { stroke: inkOf('--line'), width: 1 };
  const axis = { stroke: inkOf('--quiet'), grid, ticks: grid };
  plots = CHARTS.map(([target, format, series]) => {
    const lines = series.map(([label, ink]) => ({
      label,
      stroke: inkOf(ink),
      width: 1.5,
      points: { show: false },
      value: (_, value) => (value === null ? '–' : format(value)),
    }));
    const options = {
      width: $(target).clientWidth,
      height: 170,
      cursor: { drag: { x: false, y: false } },
      scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
      axes: [
        axis,
        {
          ...axis,
          size: 74,
          values: (_, values) => values.map(format),
          ...(format === bytes ? { incrs: POWERS } : {}),
        },
      ],
      series: [{}, ...lines],
    };
    return new uPlot(options, data(series), $(target));
  });
}

function redraw() {
  for (const [i, [, , series]] of CHARTS.entries()) plots[i]?.setData(data(series));
}

addEventListener('resize', () => {
  for (const [i, [target]] of CHARTS.entries()) plots[i]?.setSize({ width: $(target).clientWidth, height: 170 });
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);

// Actions

let hideToast;
function say(text) {
  $('toast').textContent = text;
  $('toast').hidden = false;
  clearTimeout(hideToast);
  hideToast = setTimeout(() => ($('toast').hidden = true), 8000);
}

async function act(path, body, done) {
  try {
    const response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    say(response.ok ? done(answer) : answer.error.message);
  } catch (error) {
    say(`The provider did not answer: ${error.message}`);
  }
}

$('peer').addEventListener('close', () => {
  document.activeElement?.blur();
  const peer = $('peer-id').textContent;
  const overrides = { block: 'blocked', reset: null, limit: { limitBytes: Number($('peer-limit').value) } };
  const choice = $('peer').returnValue;
  if (Object.hasOwn(overrides, choice)) {
    void act('api/peer', { peer, override: overrides[choice] }, () => `The rule of ${short(peer)} is changed.`);
  }
});
$('tariff').addEventListener('submit', (event) => {
  event.preventDefault();
  document.activeElement?.blur();
  const rates = Object.fromEntries([...new FormData(event.target)].map(([name, value]) => [name, Number(value)]));
  void act('api/tariff', rates, ({ cid }) => `The tariff is now ${short(cid)}; connected consumers were told.`);
});
$('pin').addEventListener('submit', (event) => {
  event.preventDefault();
  const cid = $('pin-cid').value.trim();
  say(`Fetching ${short(cid)} …`);
  void act('api/pin', { cid }, (got) => `Fetched ${short(cid)}: ${count(got.blocks)} blocks, ${bytes(got.bytes)}.`);
});
let last;
$('order').addEventListener('change', () => last && handlers(last));

// Every figure comes from the running node.
const events = new EventSource('api/events');
events.addEventListener('open', () => {
  $('status').textContent = 'live';
  $('status').className = '';
});
events.addEventListener('error', () => {
  $('status').textContent = 'no connection to the provider; trying again';
  $('status').className = 'lost';
});
events.addEventListener('samples', ({ data: text }) => {
  samples = JSON.parse(text);
  drawAll();
});
events.addEventListener('sample', ({ data: text }) => {
  samples.push(JSON.parse(text));
  if (samples.length > 1800) samples.shift();
  redraw();
});
events.addEventListener('figures', ({ data: text }) => {
  last = JSON.parse(text);
  show(last);
});
