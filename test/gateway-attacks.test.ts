import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ask, gatewayScene, sendRaw, type Scene } from './gateway-scene.ts';

/** Goal: no bytes on a connection get more than they should. Method: raw sockets against a gateway with a real service. */

let scene: Scene;
beforeAll(async () => {
  scene = await gatewayScene({
    domains: ['sites.example'],
    headersTimeoutMs: 1000,
    requestTimeoutMs: 1000,
    connectionsPerClientMax: 32,
  });
});
afterAll(() => scene.stop());

const raw = (bytes: string) => sendRaw(scene.gateway, bytes.replaceAll('HOST', scene.host));
const statuses = (answer: string) => [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
const idle = () => vi.waitFor(() => expect(scene.gateway.stats().requestsUnderWay).toBe(0), 20_000);

function open(bytes: string): { socket: Socket; ended: Promise<string> } {
  const socket = connect(scene.gateway.port, '127.0.0.1');
  let answer = '';
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.on('data', (part) => (answer += part.toString('latin1')));
  socket.on('error', () => {});
  socket.on('close', () => resolve(answer));
  socket.write(bytes.replaceAll('HOST', scene.host));
  return { socket, ended: promise };
}

const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: HOST\r\n\r\n';
const POST = 'POST /form HTTP/1.1\r\nHost: HOST\r\n';

describe('a request that could be read in two ways is refused, and nothing behind it is read', () => {
  it.each([
    ['a length beside chunks', `${POST}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['chunks beside a length', `${POST}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n`],
    ['two lengths', `${POST}Content-Length: 0\r\nContent-Length: 36\r\n\r\n`],
    ['a list of lengths', `${POST}Content-Length: 0, 0\r\n\r\n`],
    ['a length with a sign', `${POST}Content-Length: +0\r\n\r\n`],
    ['a length in hexadecimal', `${POST}Content-Length: 0x0\r\n\r\n`],
    ['a length beyond all integers', `${POST}Content-Length: 18446744073709551616\r\n\r\n`],
    ['chunks under another name', `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['chunks that are not last', `${POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['chunks named twice', `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`],
    ['a space before the colon', `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
    ['a tab before the name', `${POST}\tTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a folded header', `${POST}X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a header that ends in a bare line feed', `${POST}X-A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a bare carriage return in a header', `${POST}X-A: b\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a NUL in a header', `${POST}X-A: b\0c\r\n\r\n`],
    ['a head with bare line feeds', 'GET / HTTP/1.1\nHost: HOST\n\n'],
    ['a chunk size that overflows', `${POST}Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n`],
    ['a chunk size with a sign', `${POST}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n`],
    ['a chunk size in 0x', `${POST}Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n`],
    ['a chunk that ends in a bare line feed', `${POST}Transfer-Encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n`],
    ['a chunk that is longer than it says', `${POST}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n`],
    ['a bare line feed behind a chunk extension', `${POST}Transfer-Encoding: chunked\r\n\r\n0;a\n\r\n\r\n`],
    ['two hosts', 'GET / HTTP/1.1\r\nHost: HOST\r\nHost: evil.example\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['an address with another host', 'GET http://other.localhost/ HTTP/1.1\r\nHost: HOST\r\n\r\n'],
    ['a target without a slash', 'GET x HTTP/1.1\r\nHost: HOST\r\n\r\n'],
    ['no version', 'GET /\r\n\r\n'],
    ['chunks in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a version that is none', 'GET / HTTP/1.2\r\nHost: HOST\r\n\r\n'],
    ['HTTP/2 without a word', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['another protocol', '\x16\x03\x01\x02\x00\x01\x00'],
  ])('%s', async (_, bytes) => {
    const answer = await raw(bytes + HIDDEN);
    expect(statuses(answer)).toEqual([400]);
    expect(answer).not.toContain('/hidden');
  });

  it('while an answer is under way the connection ends without one that could be taken for it', async () => {
    const { ended } = open(`GET /spin HTTP/1.1\r\nHost: HOST\r\n\r\nnonsense\r\n\r\n`);
    expect(await ended).toBe('');
    await idle();
  });

  it('what stands behind the last request of a connection is not read, and its answer comes', async () => {
    const answer = await raw(`GET /last HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n${HIDDEN}`);
    expect(statuses(answer)).toEqual([200]);
    expect(answer).toContain('"path":"/last"');
  });

  it('chunk extensions and trailers are read, and mean nothing', async () => {
    const body = '3;name="val;ue"\r\na=b\r\n0\r\nHost: evil.example\r\nCookie: c=1\r\n\r\n';
    const answer = await raw(`${POST}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${body}`);
    expect(statuses(answer)).toEqual([200]);
    expect(answer).toContain('"body":"a=b"');
    expect(answer).toContain('"cookie":"-"');
  });

  it('requests behind one another are answered in their order', async () => {
    const one = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: HOST\r\n${more}\r\n`;
    const answer = await raw(one('/first') + one('/about.html') + one('/third', 'Connection: close\r\n'));
    expect(statuses(answer)).toEqual([200, 200, 200]);
    expect(answer).toMatch(/"path":"\/first"[^]*<p>static[^]*"path":"\/third"/);
  });
});

describe('other things that HTTP can be asked for', () => {
  const head = (line: string, ...headers: string[]) =>
    [line, 'Host: HOST', ...headers, 'Connection: close', '', ''].join('\r\n');

  it('no tunnel, no other protocol, no echo', async () => {
    expect(await raw('CONNECT evil.example:80 HTTP/1.1\r\nHost: evil.example:80\r\n\r\n')).toBe('');
    expect(statuses(await raw(head('TRACE /x HTTP/1.1', 'Cookie: c=1')))).toEqual([405]);
    const upgrade = 'GET /x HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n';
    expect(statuses(await raw(upgrade))).toEqual([200]);
    expect(statuses(await raw(head('GET /x HTTP/1.1', 'Expect: wonders')))).toEqual([417]);
    expect(statuses(await raw(head('BREW /x HTTP/1.1')))).toEqual([400]);
  });

  it('who asks first whether a body may come is told to go on, and then the answer', async () => {
    const { socket, ended } = open(head('POST /x HTTP/1.1', 'Content-Length: 3', 'Expect: 100-continue'));
    socket.once('data', () => socket.write('a=b'));
    const answer = await ended;
    expect(statuses(answer)).toEqual([100, 200]);
    expect(answer).toContain('"body":"a=b"');
  });
});

describe('floods of headers', () => {
  it('are cut off by count and by size, and the connection ends', async () => {
    const many = Array.from({ length: 150 }, (_, i) => `x-${i}: 1\r\n`).join('');
    expect(statuses(await raw(`GET /x HTTP/1.1\r\nHost: HOST\r\n${many}\r\n${HIDDEN}`))).toEqual([431]);
    expect(statuses(await raw(`GET /x HTTP/1.1\r\nHost: HOST\r\nx-a: ${'a'.repeat(40_000)}\r\n\r\n`))).toEqual([431]);
    expect(statuses(await raw(`GET /${'a'.repeat(40_000)} HTTP/1.1\r\nHost: HOST\r\n\r\n`))).toEqual([431]);
    const extension = `${POST}Transfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(40_000)}\r\na\r\n0\r\n\r\n`;
    expect(statuses(await raw(extension))).toEqual([413]);
    const trailers = `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\nx-a: ${'a'.repeat(40_000)}\r\n\r\n`;
    expect(statuses(await raw(trailers))).toEqual([431]);
  });

  it('that is within the limits reaches a service as far as a task has room for it', async () => {
    const headers = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`x-${i}`, 'a'.repeat(200)]));
    expect((await ask(scene.gateway, '/x', { host: scene.host, headers })).status).toBe(200);
  });
});

describe('slow clients', () => {
  it.each([
    ['whose head never ends', 'GET /x HTTP/1.1\r\nHost: HOST\r\n'],
    ['that send nothing of a body', `${POST}Content-Length: 10\r\n\r\n`],
    ['that stop within a body', `${POST}Content-Length: 10\r\n\r\nabc`],
    ['that stop within a chunk', `${POST}Transfer-Encoding: chunked\r\n\r\n5\r\nab`],
  ])('%s are told so and cut off', async (_, bytes) => {
    const { ended } = open(bytes);
    expect(statuses(await ended)).toEqual([408]);
    await idle();
  });

  it('that send a byte now and then do not gain time by it', async () => {
    const { socket, ended } = open('GET /x HTTP/1.1\r\nHost: HOST\r\nx-a: ');
    const drip = setInterval(() => socket.write('a'), 50);
    try {
      expect(statuses(await ended)).toEqual([408]);
    } finally {
      clearInterval(drip);
    }
  });

  it('that connect and say nothing are cut off', async () => {
    expect(statuses(await open('').ended)).toEqual([408]);
  });

  it('whose body stops behind an answer end without a second one', async () => {
    const { ended } = open('POST /ipfs/bafkqaaa HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\na');
    expect(statuses(await ended)).toEqual([405]);
  });

  it('cannot take all connections', async () => {
    const sockets = Array.from({ length: 40 }, () => open('GET /x HTTP/1.1\r\n'));
    await vi.waitFor(
      () => expect(sockets.filter(({ socket }) => socket.closed).length).toBeGreaterThanOrEqual(8),
      10_000,
    );
    await Promise.all(sockets.map(({ ended }) => ended));
    await vi.waitFor(async () => {
      expect((await ask(scene.gateway, '/about.html', { host: scene.host })).status).toBe(200);
    }, 10_000);
  });
});

describe('paths', () => {
  it.each([
    ['/..', 400],
    ['/../about.html', 400],
    ['/docs/%2e%2e/about.html', 400],
    ['/docs/.%2E/about.html', 400],
    ['/docs%2f..%2fabout.html', 400],
    ['/a%00b', 400],
    ['/%00', 400],
    ['/%ff', 400],
    ['/%', 400],
    ['/%c0%ae%c0%ae/', 400],
    [`/${'a/'.repeat(300)}`, 400],
    [`/${'a'.repeat(10_000)}`, 414],
    [`/x?${'a'.repeat(17_000)}`, 431],
  ])('of a service that nobody should have: %s', async (path, status) => {
    expect((await ask(scene.gateway, path, { host: scene.host })).status).toBe(status);
    expect((await ask(scene.gateway, `/workswap/${scene.name}${path}`)).status).toBe(status);
  });

  it('are decoded once: what is encoded twice is a name like any other', async () => {
    for (const path of ['/docs/%252e%252e/about.html', '/docs/%252e%252e%252fabout.html', '/x%2500']) {
      const reply = await ask(scene.gateway, path, { host: scene.host });
      expect(JSON.parse(reply.text).path).toBe(path);
    }
    const path = `/ipfs/${scene.site}/docs`;
    expect((await ask(scene.gateway, `${path}/%252e%252e/about.html`)).status).toBe(404);
    for (const dots of ['..', '%2e%2e', '.%2e', '..%2f..']) {
      expect((await ask(scene.gateway, `${path}/${dots}/about.html`)).status).toBe(400);
    }
    expect((await ask(scene.gateway, `${path}/a%00b`)).status).toBe(400);
    expect((await ask(scene.gateway, `${path}/${'a'.repeat(9000)}`)).status).toBe(404);
  });

  it('do not lead from one service to another, nor to another host', async () => {
    const other = 'k51qzi5uqu5dgutdk6i1ynyzgkqngpha5xpgia3a5qqp4jsh0u4csozksxel2r';
    expect((await ask(scene.gateway, `/workswap/${other}/../${scene.name}/about.html`)).status).toBe(400);
    expect((await ask(scene.gateway, `/workswap/${other}%2f..%2f${scene.name}/about.html`)).status).toBe(404);
    expect((await ask(scene.gateway, '//evil.example/docs', { host: scene.host })).headers.location).toBeUndefined();
    const slash = await ask(scene.gateway, '//docs', { host: scene.host });
    expect(slash.headers.location).toBe('./docs/');
    const splat = await ask(scene.gateway, '/old//evil.example', { host: scene.host });
    expect(splat.headers.location).toBe('/about.html?from=evil.example');
    const moved = await ask(scene.gateway, `/ipfs/${scene.site}//docs`);
    expect(moved.headers.location).toBe(`/ipfs/${scene.site}/docs/`);
  });
});

describe('names that lead here and are not ours (DNS rebinding)', () => {
  it.each([
    'evil.example',
    'evil.example:80',
    'localhost.evil.example',
    'evillocalhost',
    'a.b.localhost',
    'sites.example.evil.example',
    'xsites.example',
    '10.1.2.3',
    '0.0.0.0',
    '169.254.169.254:80',
    '[::2]',
    '127.0.0.1.evil.example',
    '2130706433',
    '0x7f000001',
  ])('%s reads nothing', async (host) => {
    for (const path of ['/', `/workswap/${scene.name}/about.html`, `/ipfs/${scene.site}/about.html`]) {
      const reply = await ask(scene.gateway, path, { host });
      expect([reply.status, reply.text.includes('static')]).toEqual([421, false]);
    }
  });

  it.each(['', 'a b', 'localhost@evil.example', 'localhost/evil', 'localhost:x', '[::1', '999.0.0.1', 'a'.repeat(300)])(
    '"%s" is no host',
    async (host) => {
      const answer = await raw(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expect([400, 421]).toContain(statuses(answer)[0]);
    },
  );

  it.each([
    '127.0.0.1',
    '127.0.0.1:1',
    '127.1.2.3',
    '[::1]',
    '[0:0:0:0:0:0:0:1]:80',
    'localhost',
    'LOCALHOST.',
    'sites.example',
  ])('%s is ours', async (host) => {
    expect((await ask(scene.gateway, '/', { host })).status).toBe(200);
  });
});
