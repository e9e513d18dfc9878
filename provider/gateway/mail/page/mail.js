/** The mail page: everything that it shows is set as text, never as markup. */
const token = location.hash.slice(1) || sessionStorage.getItem('token') || '';
sessionStorage.setItem('token', token);
// Not to be seen in the address bar, nor in what is shared from it.
history.replaceState(null, '', location.pathname);

const byId = (id) => document.getElementById(id);
const main = byId('main');
let box = 'in';
let isListing = true;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (value !== false) made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children);
  return made;
}

async function ask(method, path, body) {
  const response = await fetch(`api/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
    ...(body === undefined ? {} : { body: body instanceof Blob ? body : JSON.stringify(body) }),
  });
  if (response.ok) return response;
  const { error } = await response.json();
  throw new Error(error.message);
}

const get = async (path) => (await ask('GET', path)).json();
const say = (text) => (byId('status').textContent = text);
const nameOf = ({ isMe, name, isVerified, peer }) =>
  isMe ? 'me' : name === undefined ? `…${peer.slice(-8)}` : isVerified ? name : `${name}?`;
const names = (people) => people.map(nameOf).join(', ');

/** Runs what a button asks for; what goes wrong is said. */
const doing = (work) => async (event) => {
  event?.preventDefault();
  try {
    say('');
    await work(event);
  } catch (error) {
    say(error.message);
  }
};

async function showList() {
  isListing = true;
  const { address, unread, letters } = await get(`letters?box=${box}`);
  byId('address').textContent = address;
  byId('inbox').textContent = unread === 0 ? 'Inbox' : `Inbox (${unread})`;
  byId('inbox').setAttribute('aria-pressed', String(box === 'in'));
  byId('sent').setAttribute('aria-pressed', String(box === 'out'));
  document.title = unread === 0 ? 'Mail' : `(${unread}) Mail`;
  if (!isListing) return;
  const rows = letters.map(({ id, from, deliveries, subject, timeMs, isRead }) =>
    element(
      'li',
      {},
      element(
        'button',
        { class: isRead ? 'row' : 'row unread', onclick: doing(() => showLetter(id)) },
        element('span', {}, box === 'in' ? nameOf(from) : `To ${names(deliveries)}`),
        element('time', {}, new Date(timeMs).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })),
        element('span', { class: 'subject' }, subject || 'No subject'),
      ),
    ),
  );
  main.replaceChildren(rows.length === 0 ? element('p', { class: 'soft' }, 'No letters.') : element('ul', {}, ...rows));
}

async function showLetter(id) {
  isListing = false;
  const letter = await get(`letters/${id}`);
  const files = letter.attachments.map(({ name, bytes }, index) =>
    element('button', { onclick: doing(() => save(id, index, name)) }, `Save ${name} (${Math.ceil(bytes / 1024)} KiB)`),
  );
  const notSent = letter.deliveries.filter(({ isSent }) => !isSent);
  main.replaceChildren(
    element('h2', {}, letter.subject || 'No subject'),
    element(
      'p',
      { class: 'soft' },
      `From ${nameOf(letter.from)} to ${names(letter.to)}, ${new Date(letter.timeMs).toLocaleString()}`,
    ),
    ...notSent.map((one) => element('p', {}, `${nameOf(one)} does not have it yet: ${one.error ?? 'not tried'}`)),
    element('pre', {}, letter.text),
    element('div', { class: 'actions' }, ...files),
    element(
      'div',
      { class: 'actions' },
      element('button', { class: 'primary', onclick: () => showForm(answerTo(letter)) }, 'Reply'),
      element('button', { onclick: doing(() => remove(id)) }, 'Remove'),
      element('button', { onclick: doing(showList) }, 'Back'),
    ),
  );
}

function answerTo({ id, from, to, subject }) {
  const others = [from, ...to].filter(({ isMe }) => !isMe);
  const people = (others.length === 0 ? [from] : others).map(({ name, peer }) => name ?? peer);
  return {
    to: [...new Set(people)].join(' '),
    subject: /^re:/i.test(subject) ? subject : `Re: ${subject}`,
    replyTo: id,
  };
}

function showForm({ to = '', subject = '', replyTo } = {}) {
  isListing = false;
  const field = (label, input) => element('label', {}, label, input);
  const people = element('input', {
    name: 'to',
    value: to,
    required: true,
    autocapitalize: 'off',
    spellcheck: 'false',
  });
  const files = element('input', { name: 'files', type: 'file', multiple: true });
  const form = element(
    'form',
    {
      onsubmit: doing(async () => {
        say('Sending …');
        const data = new FormData(form);
        const attachments = [];
        for (const file of files.files) attachments.push(await attach(file));
        const { deliveries } = await (
          await ask('POST', 'letters', {
            to: data
              .get('to')
              .split(/[\s,]+/)
              .filter(Boolean),
            subject: data.get('subject'),
            text: data.get('text'),
            attachments,
            ...(replyTo === undefined ? {} : { replyTo }),
          })
        ).json();
        const open = deliveries.filter(({ isSent }) => !isSent).length;
        box = 'out';
        await showList();
        say(open === 0 ? 'Sent.' : `Kept: ${open} of ${deliveries.length} could not be reached yet.`);
      }),
    },
    field('To (contacts or peer ids)', people),
    field('Subject', element('input', { name: 'subject', value: subject, maxlength: '512' })),
    field('Letter', element('textarea', { name: 'text' })),
    field('Files', files),
    element(
      'div',
      { class: 'actions' },
      element('button', { class: 'primary' }, 'Send'),
      element('button', { type: 'button', onclick: doing(showList) }, 'Cancel'),
    ),
  );
  main.replaceChildren(form);
  (to === '' ? people : form.elements.text).focus();
}

async function attach(file) {
  const query = new URLSearchParams({ name: file.name, type: file.type || 'application/octet-stream' });
  return (await ask('POST', `attachments?${query}`, file)).json();
}

async function save(id, index, name) {
  say(`Fetching ${name} …`);
  const blob = await (await ask('GET', `letters/${id}/${index}`)).blob();
  const link = element('a', { href: URL.createObjectURL(blob), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
  say('');
}

async function remove(id) {
  await ask('DELETE', `letters/${id}`);
  await showList();
}

byId('inbox').onclick = doing(() => {
  box = 'in';
  return showList();
});
byId('sent').onclick = doing(() => {
  box = 'out';
  return showList();
});
byId('write').onclick = () => showForm();
setInterval(
  () => isListing && document.visibilityState === 'visible' && void showList().catch((error) => say(error.message)),
  5000,
);
await doing(showList)();
await doing(async () => {
  const { received, errors } = await (await ask('POST', 'sync')).json();
  say(errors.map(({ provider, message }) => `${provider}: ${message}`).join('; '));
  if (received > 0 && isListing) await showList();
})();
