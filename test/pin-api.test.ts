import fc from 'fast-check';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startGateway } from '../provider/gateway/index.ts';
import type { Provider } from '../provider/provider.ts';
import { consumer, provider } from './fixtures.ts';
import { makeFile, pinWhen, putAll } from './pin-scene.ts';
import { failureSchema, pinResultsSchema, schemaOf, type AnswerObject } from './pin-api-schema.ts';

interface Call {
  method?: string;
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

interface Api {
  /** What the provider blames nobody for. */
  errors: unknown[];
  host: Provider;
  url: string;
  owner: string;
  token: string;
  call(path: string, call?: Call): Promise<{ status: number; headers: Headers; json: AnswerObject }>;
}

/** A provider with a gateway and one token; every answer is checked against the API's description. */
async function api(config: Parameters<typeof provider>[0] = {}): Promise<Api> {
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const host = await provider({ ...config, onError, config: { pinning: { pin: 'anyone' }, ...config.config } });
  const gateway = await startGateway(host, { listen: '127.0.0.1:0' }, onError);
  onTestFinished(() => gateway.stop());
  const owner = host.peerId.toString();
  const { token } = host.pinning.createToken(owner, { device: 'test' });
  const url = `${gateway.url}/psa`;
  return {
    errors,
    host,
    url,
    owner,
    token,
    async call(path, { method = 'GET', token: given = token, body, headers = {} } = {}) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { ...(given === '' ? {} : { authorization: `Bearer ${given}` }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const answer = await response.text();
      const isOne = /^\/pins\/[^?]+/.test(path);
      const schema = schemaOf(method, response.status, isOne);
      const json = (answer === '' ? undefined : JSON.parse(answer)) as AnswerObject;
      if (schema === undefined) expect(answer).toBe('');
      else expect(schema.safeParse(json)).toMatchObject({ success: true });
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      return { status: response.status, headers: response.headers, json };
    },
  };
}

it('a pin is added, followed until it is pinned, found by every filter, replaced and deleted', async () => {
  const { host, owner, call } = await api();
  const holder = await consumer();
  const [first, second] = await Promise.all([makeFile(100_000), makeFile(50_000)]);
  await putAll(holder.blockstore, [...first.blocks, ...second.blocks]);
  await holder.connect(host.addrs);
  const pin = { cid: first.root.toString(), name: 'Čaj.pdf', meta: { app: 'a', 'k.e"y': 'v' }, origins: [] };
  const added = await call('/pins', { method: 'POST', body: pin });
  expect(added.status).toBe(202);
  const { requestid, created, delegates } = added.json;
  expect(delegates).toEqual(host.addrs);
  await pinWhen(host, { owner, id: requestid }, ({ status }) => status === 'pinned');
  const one = await call(`/pins/${requestid}`);
  expect(one).toMatchObject({ status: 200, json: { status: 'pinned', info: { dag_size: String(first.bytes) } } });
  const { origins: _none, ...asGiven } = pin;
  expect(one.json.pin).toEqual(asGiven);

  const other = await call('/pins', { method: 'POST', body: { cid: second.root.toString(), name: 'tea' } });
  await pinWhen(host, { owner, id: other.json.requestid }, ({ status }) => status === 'pinned');
  const found = async (query: string): Promise<string[]> => {
    const { status, json } = await call(`/pins?${query}`);
    expect({ query, status }).toEqual({ query, status: 200 });
    return json.results.map(({ requestid: id }) => id);
  };
  const both = [other.json.requestid, requestid];
  expect(await found('')).toEqual(both);
  expect(await found(`cid=${first.root}`)).toEqual([requestid]);
  expect(await found(`cid=${first.root},${second.root}`)).toEqual(both);
  expect(await found(`cid=${first.root}&cid=${second.root}`)).toEqual(both);
  expect(await found('name=tea')).toEqual([other.json.requestid]);
  expect(await found('name=TEA')).toEqual([]);
  expect(await found('name=TEA&match=iexact')).toEqual([other.json.requestid]);
  expect(await found(`name=${encodeURIComponent('aj.p')}&match=partial`)).toEqual([requestid]);
  expect(await found(`name=${encodeURIComponent('čAJ')}&match=ipartial`)).toEqual([requestid]);
  expect(await found('status=queued,pinning,failed')).toEqual([]);
  expect(await found('status=queued,pinned')).toEqual(both);
  expect(await found(`before=${other.json.created}`)).toEqual([requestid]);
  expect(await found(`after=${created}`)).toEqual([other.json.requestid]);
  expect(await found(`after=${created.replace('Z', '000001Z')}`)).toEqual([other.json.requestid]);
  expect(await found(`before=${created.replace('Z', '000001Z')}`)).toEqual([requestid]);
  expect(await found(`meta=${encodeURIComponent('{"app":"a"}')}`)).toEqual([requestid]);
  expect(await found(`meta=${encodeURIComponent('{"app":"a","k.e\\"y":"v"}')}`)).toEqual([requestid]);
  expect(await found(`meta=${encodeURIComponent('{"app":"b"}')}`)).toEqual([]);
  const page = await call('/pins?limit=1');
  expect(page.json).toMatchObject({ count: 2, results: [{ requestid: other.json.requestid }] });

  // Whoever asks for no certain pin sees what is pinned, and else whatever there is.
  const { root: lost } = await makeFile(10);
  const waits = await call('/pins', { method: 'POST', body: { cid: lost.toString(), name: 'lost' } });
  expect(await found('')).toEqual(both);
  expect(await found(`cid=${lost}`)).toEqual([waits.json.requestid]);
  expect(await found('name=lost')).toEqual([waits.json.requestid]);
  expect(await found('name=lost&status=pinned')).toEqual([]);
  await call(`/pins/${waits.json.requestid}`, { method: 'DELETE' });

  const replaced = await call(`/pins/${requestid}`, { method: 'POST', body: { cid: second.root.toString() } });
  expect(replaced.status).toBe(202);
  expect(replaced.json.requestid).not.toBe(requestid);
  expect((await call(`/pins/${requestid}`)).status).toBe(404);
  expect((await call(`/pins/${replaced.json.requestid}`, { method: 'DELETE' })).status).toBe(202);
  expect((await call(`/pins/${replaced.json.requestid}`, { method: 'DELETE' })).status).toBe(404);
  expect(await found('status=queued,pinning,pinned,failed')).toEqual([other.json.requestid]);
});

it('only a token of the owner that is neither revoked nor over sees and changes its pins', async () => {
  const { host, owner, token, call } = await api();
  const { root } = await makeFile(10);
  const { json } = await call('/pins', { method: 'POST', body: { cid: root.toString() } });
  const path = `/pins/${json.requestid}`;
  const device = host.pinning.createToken(owner, { device: 'phone' });
  const stranger = host.pinning.createToken('12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5', {
    device: 'phone',
  });
  expect((await call(path, { token: device.token })).status).toBe(200);
  expect((await call(path, { token: stranger.token })).status).toBe(404);
  expect((await call(path, { token: stranger.token, method: 'DELETE' })).status).toBe(404);
  expect((await call(path, { token: stranger.token, method: 'POST', body: { cid: root.toString() } })).status).toBe(
    404,
  );
  expect((await call('/pins?status=queued,pinning,failed', { token: stranger.token })).json.count).toBe(0);
  expect(() => host.pinning.tokens.revoke(owner, stranger.id)).toThrow(
    expect.objectContaining({ code: 'TOKEN_INVALID' }),
  );
  host.pinning.tokens.revoke(owner, device.id);
  const last = token.at(-1) === 'A' ? 'B' : 'A';
  const bad = [
    '',
    device.token,
    `${token.slice(0, -1)}${last}`,
    token.slice(0, -1),
    token.toUpperCase(),
    'x',
    stranger.id,
  ];
  for (const one of bad) {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const answer = await call(path, { method, token: one, ...(method === 'POST' ? { body: {} } : {}) });
      expect(answer).toMatchObject({ status: 401, json: { error: { reason: 'UNAUTHORIZED' } } });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
  }
  expect((await call(path)).status).toBe(200);
  const [listed] = host.pinning.tokens.list(owner);
  expect(listed).toMatchObject({ device: 'test', usedMs: expect.any(Number) });
  expect(JSON.stringify(listed)).not.toContain(token);
});

it('a token ends when it was said to', async () => {
  const { host, owner, call } = await api();
  const endMs = Date.now() + 300;
  const { token } = host.pinning.createToken(owner, { device: 'test', expiresMs: endMs });
  const statuses = new Set<number>();
  for (;;) {
    const beforeMs = Date.now();
    const { status } = await call('/pins', { token });
    statuses.add(status);
    if (status === 401) {
      expect(Date.now()).toBeGreaterThanOrEqual(endMs);
      break;
    }
    expect(beforeMs).toBeLessThan(endMs);
  }
  expect(statuses.has(401)).toBe(true);
  expect(() => host.pinning.createToken(owner, { device: 'late', expiresMs: endMs })).toThrow('ended already');
});

const CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';

it('every bad request is told what was wrong in the form of the specification', async () => {
  const { call } = await api();
  const queries = [
    'limit=0',
    'limit=1001',
    'limit=x',
    'limit=1&limit=2',
    'status=gone',
    'status=',
    'status=pinned,pinned',
    'match=fuzzy',
    'cid=x',
    `cid=${CID},${CID}`,
    'before=yesterday',
    'after=2020-13-01T00:00:00Z',
    'before=2020-01-01',
    'meta=x',
    'meta=[]',
    'meta={"a":1}',
    `name=${'x'.repeat(256)}`,
    `cid=${'b'.repeat(300)}`,
  ];
  for (const query of queries) {
    expect({ query, ...(await call(`/pins?${query}`)) }).toMatchObject({
      query,
      status: 400,
      json: { error: { reason: 'BAD_REQUEST' } },
    });
  }
  const bodies: unknown[] = [
    '',
    '{',
    'null',
    '[]',
    '1',
    {},
    { cid: 1 },
    { cid: 'x' },
    { cid: CID, name: 1 },
    { cid: CID, name: 'x'.repeat(256) },
    { cid: CID, meta: [] },
    { cid: CID, meta: { a: 1 } },
    { cid: CID, meta: { a: 'x'.repeat(17_000) } },
    { cid: CID, origins: 'x' },
    { cid: CID, origins: ['x'] },
    { cid: CID, origins: Array.from({ length: 21 }, (_, i) => `/ip4/1.2.3.4/tcp/${i + 1}`) },
  ];
  for (const body of bodies) {
    expect({ body, ...(await call('/pins', { method: 'POST', body })) }).toMatchObject({
      body,
      status: 400,
      json: { error: { reason: 'BAD_REQUEST' } },
    });
  }
  expect((await call('/pins', { method: 'POST', body: { cid: CID, name: '\u{1f375}'.repeat(255) } })).status).toBe(202);
  expect((await call('/pins', { method: 'POST', body: 'x'.repeat(70_000) })).status).toBe(413);
  expect((await call('/pins', { method: 'PUT', body: {} })).status).toBe(405);
  expect((await call('/nothing')).status).toBe(404);
  expect((await call('/pins/a/b')).status).toBe(404);
  const { url } = await api();
  const preflight = await fetch(`${url}/pins`, { method: 'OPTIONS', headers: { origin: 'https://app.example' } });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-headers')).toContain('Authorization');
});

it('the page for pins is served beside the API, and nothing else of its directory', async () => {
  const { url } = await api();
  const page = await fetch(`${url}/`);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await page.text()).toContain('workswap pin token create');
  expect((await fetch(`${url}/page.js`)).headers.get('content-type')).toContain('javascript');
  for (const path of ['/index.html', '/page', '/page/page.js', '/constructor', '/..%2fpage.ts', '/page.js/']) {
    expect((await fetch(url + path)).status).toBe(404);
  }
});

it('a client that asks too often is told when to come again', async () => {
  const { call, token, url } = await api();
  const answers = await Promise.all(
    Array.from({ length: 60 }, async () => {
      const results = [];
      for (let i = 0; i < 8; i++)
        results.push(await fetch(`${url}/pins`, { headers: { authorization: `Bearer ${token}` } }));
      return results;
    }),
  );
  const refused = answers.flat().filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  for (const response of refused) {
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(failureSchema.safeParse(await response.json())).toMatchObject({ success: true });
  }
  await expect.poll(async () => (await call('/pins')).status, { timeout: 30_000 }).toBe(200);
});

/** Values for each place of the description: mostly such as it allows, and such as it does not. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', CID, 'pinned', '__proto__', '../..', '%', "' OR 1=1 --"),
);
const anyPin = fc.oneof(
  fc.record(
    {
      cid: fc.oneof(fc.constant(CID), anyText, fc.jsonValue()),
      name: fc.oneof(anyText, fc.jsonValue()),
      origins: fc.oneof(fc.array(anyText, { maxLength: 25 }), fc.jsonValue()),
      meta: fc.oneof(fc.dictionary(anyText, anyText), fc.jsonValue()),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
);
const anyQuery = fc.array(
  fc.tuple(
    fc.constantFrom('cid', 'name', 'match', 'status', 'before', 'after', 'limit', 'meta', 'other'),
    fc.oneof(
      anyText,
      fc.constantFrom('queued,pinned', 'ipartial', '2020-07-27T17:32:28Z', '7', '{"a":"b"}'),
      fc.json(),
    ),
  ),
  { maxLength: 5 },
);

it('whatever is sent, the answer is what the description allows, and nothing breaks', async () => {
  const { host, call, errors } = await api();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'PATCH'),
      fc.option(anyText, { nil: undefined }),
      anyQuery,
      fc.oneof(
        anyPin.map((pin) => JSON.stringify(pin)),
        fc.string({ unit: 'binary' }),
      ),
      async (method, id, query, body) => {
        const search = new URLSearchParams(query as [string, string][]).toString();
        const one = id === undefined || /^\.{1,2}$/.test(id) ? '' : `/${encodeURIComponent(id.toWellFormed())}`;
        const path = `/pins${one}${search === '' ? '' : `?${search}`}`;
        const { status } = await call(path, method === 'GET' ? { method } : { method, body });
        // 429: it is faster than a client may be.
        expect([200, 202, 400, 404, 405, 413, 429]).toContain(status);
      },
    ),
    { numRuns: 400 },
  );
  expect(errors).toEqual([]);
  const all = '/pins?status=queued,pinning,pinned,failed&limit=1000';
  // The first answer that is no 429; the next could be one again.
  const { json } = await vi.waitFor(
    async () => {
      const answer = await call(all);
      expect(answer.status).toBe(200);
      return answer;
    },
    { timeout: 30_000 },
  );
  expect(pinResultsSchema.safeParse(json)).toMatchObject({ success: true });
  expect(json.count).toBe(host.pinning.list(host.peerId.toString(), {}).count);
});
