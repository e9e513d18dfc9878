import { expect, test } from 'vitest';
import { requestHeaders } from './request-headers.ts';

test('a handler sees the ETags that it gave, though the answers were compressed', () => {
  const headers = { 'if-match': '"v1.br"', 'if-none-match': 'W/"a.gzip", "b", *', 'if-modified-since': 'then' };
  expect(requestHeaders(headers, true)).toEqual({
    'if-match': '"v1"',
    'if-none-match': 'W/"a", "b", *',
    'if-modified-since': 'then',
  });
});

test('nothing passes that is between the browser and the gateway, or that a proxy says of the visitor', () => {
  const own = {
    connection: 'close',
    'accept-encoding': 'br',
    range: 'bytes=0-',
    te: 'trailers',
    'x-forwarded-for': '1',
  };
  expect(requestHeaders({ ...own, 'x-real-ip': '1', 'x-workswap-caller': 'me', 'x-own': 'yes' }, true)).toEqual({
    'x-own': 'yes',
  });
});

test('cookies pass at an origin of its own only', () => {
  expect(requestHeaders({ cookie: 'a=b' }, true)).toEqual({ cookie: 'a=b' });
  expect(requestHeaders({ cookie: 'a=b' }, false)).toEqual({});
});
