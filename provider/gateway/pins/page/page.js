const PAGE_SIZE = 50;
const REFRESH_MS = 3000;
const ALL = 'queued,pinning,pinned,failed';

const at = (id) => document.getElementById(id);
/** For this tab only: who has a token has the pins. */
let token = sessionStorage.getItem('token') ?? '';
let limit = PAGE_SIZE;

async function call(path, options = {}) {
  const response = await fetch(`/psa${path}`, { ...options, headers: { authorization: `Bearer ${token}` } });
  const text = await response.text();
  const json = text === '' ? {} : JSON.parse(text);
  if (response.ok) return json;
  if (response.status === 401) leave();
  throw new Error(json.error?.details ?? `The provider answered ${response.status}`);
}

function leave() {
  token = '';
  sessionStorage.removeItem('token');
  show();
}

function element(name, text, className = '') {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

function row({ requestid, status, created, pin, info }) {
  const made = document.createElement('li');
  const title = element('p', '');
  title.append(element('strong', pin.name ?? 'without a name'), element('br', ''), element('code', pin.cid));
  const remove = element('button', 'Remove');
  remove.setAttribute('aria-label', `Remove ${pin.name ?? pin.cid}`);
  remove.addEventListener('click', () => attempt(() => call(`/pins/${requestid}`, { method: 'DELETE' })));
  const until = info?.pinned_until === undefined ? '' : ` Until ${new Date(info.pinned_until).toLocaleString()}.`;
  const since = new Date(created).toLocaleString();
  made.append(
    title,
    remove,
    element('p', `${status}: ${info?.status_details ?? ''}${until} Since ${since}.`, 'status'),
  );
  return made;
}

async function refresh() {
  if (token === '') return;
  const { count, results } = await call(`/pins?status=${ALL}&limit=${limit}`);
  at('count').textContent = count === 1 ? '1 pin' : `${count} pins`;
  at('more').hidden = count <= results.length || limit >= 1000;
  // A button that is about to be pressed is not replaced.
  if (!at('list').contains(document.activeElement)) at('list').replaceChildren(...results.map(row));
}

function show() {
  at('login').hidden = token !== '';
  at('pins').hidden = token === '';
}

async function attempt(work) {
  try {
    at('error').textContent = '';
    await work();
    document.activeElement?.blur();
    await refresh();
  } catch (error) {
    at('error').textContent = error.message;
  }
}

at('login').addEventListener('submit', (event) => {
  event.preventDefault();
  token = at('token').value.trim();
  at('token').value = '';
  sessionStorage.setItem('token', token);
  show();
  attempt(() => {});
});
at('add').addEventListener('submit', (event) => {
  event.preventDefault();
  const cid = at('cid').value.trim();
  const name = at('name').value.trim();
  attempt(async () => {
    await call('/pins', { method: 'POST', body: JSON.stringify(name === '' ? { cid } : { cid, name }) });
    event.target.reset();
  });
});
at('leave').addEventListener('click', leave);
at('more').addEventListener('click', () => {
  limit = Math.min(1000, limit * 4);
  attempt(() => {});
});

show();
attempt(() => {});
setInterval(() => refresh().catch((error) => (at('error').textContent = error.message)), REFRESH_MS);
