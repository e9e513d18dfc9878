import { addSample, showSamples } from './charts.js';
import { $, bytes, count, element, short } from './elements.js';
import { mailboxes } from './mailboxes.js';
import { gateway, history, messages, services } from './services.js';
import { accounts, failures, handlers, jobs, tariff, tiles } from './tables.js';

function show(figures) {
  $('identity').replaceChildren(element('code', { text: figures.peerId }));
  tiles(figures);
  // What the operator is about to press must not vanish under the hand.
  for (const [section, fill] of [
    ['accounts', accounts],
    ['services', services],
    ['mailboxes', mailboxes],
  ]) {
    if (!$(section).contains(document.activeElement)) fill(figures);
  }
  history(figures);
  messages(figures);
  gateway(figures);
  jobs(figures);
  handlers(figures);
  failures(figures);
  tariff(figures);
  $('wants').textContent = figures.wants.length === 0 ? '' : `Wanted now: ${figures.wants.map(short).join(', ')}`;
}

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
$('mailbox').addEventListener('close', () => {
  document.activeElement?.blur();
  const peer = $('mailbox-id').textContent;
  if ($('mailbox').returnValue !== 'close') return;
  void act('api/mailbox/close', { peer }, () => `The mailbox of ${short(peer)} is closed.`);
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
$('history-of').addEventListener('change', () => last && history(last));

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
  showSamples(JSON.parse(text));
});
events.addEventListener('sample', ({ data: text }) => {
  addSample(JSON.parse(text));
});
events.addEventListener('figures', ({ data: text }) => {
  last = JSON.parse(text);
  show(last);
});
