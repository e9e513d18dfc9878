/** A request that both gateways get. */
export interface Sent {
  path: string;
  method?: 'GET' | 'HEAD' | 'POST' | 'OPTIONS';
  headers?: Record<string, string>;
  /** Of the Host header, without the port; an address by default. */
  host?: string;
}

const RAW = 'application/vnd.ipld.raw';
const CAR = 'application/vnd.ipld.car';

/** What the gateway specifications say something about, on boxo's fixtures and some blocks of our own. */
export function requests(cids: Record<string, string>): Sent[] {
  const { files, names, special, hamt, many, query, spa, dated, cbor, json, dagJson, missing, nodes, chunked } = cids;
  const at = (root: string | undefined, ...paths: string[]) => paths.map((path) => `/ipfs/${root}${path}`);
  const content = [
    ...at(files, '', '/', '/subdir', '/subdir/', '/subdir/fnord', '/subdir/fnord/', '/empty-dir', '/empty-dir/'),
    ...at(files, '/nothing', '/subdir/nothing', '/subdir/fnord/nothing', '/subdir/dag-cbor-document'),
    ...at(names, '/plain.txt', '/with%20space.txt', '/100%25%20sure.txt', '/a%23b%3Fc.txt', '/emoji%F0%9F%9A%80.txt'),
    ...at(names, '/%C5%82%C3%B3d%C5%BA.txt', '/with%20space.txt?filename=other.pdf', '/plain.txt?download=true'),
    ...at(names, '/plain.txt?download=true&filename=%C5%82.txt', '/plain.txt?filename=a%22b.txt', '/'),
    ...at(special, '/foo%3F%20%23%3C%27', '/foo%3F%20%23%3C%27/', '/foo%3F%20%23%3C%27/bar/file.txt', '//file.txt'),
    ...at(hamt, '/basicDir/exampleA', '/hamtDir/exampleC-hamt-collide-exampleA-seed-52', '/hamtDir/none', '/hamtDir/'),
    ...at(many, '/hamt/470.txt', '/hamt/742.txt/', '/hamt/1000000.txt'),
    ...at(dated, '/', '/dir1/', '/file1', '/dir2/sub1/link1', '/dir2/sub1/sub2/file3'),
    ...at(files, '?format=tar', '/subdir/fnord?format=tar', '/empty-dir/?format=tar&filename=x.tar'),
    ...at(names, '?format=tar', '/plain.txt?format=tar', '/nothing?format=tar'),
    ...at(hamt, '?format=tar', '/hamtDir?format=tar'),
    ...at(dated, '?format=tar', '/dir2?format=tar'),
    ...at(special, '?format=tar'),
    ...at(chunked, '/long.bin?format=tar'),
    ...at(spa, '/', '/index.html', '/any'),
    ...at(query, '/target-file', '/moved'),
    ...at(chunked, '', '/long.bin'),
    ...at(cbor, '', '/', '/files', '/files/here', '/files/here/subdir/fnord', '/n', '/nothing', '?format=dag-cbor'),
    ...at(cbor, '?format=dag-json', '?format=cbor', '?format=json', '?format=raw', '?format=tar'),
    ...at(nodes, '/foo', '/foo/link', '/foo/link/bar', '/foo/link/bar/hello', '/foo/object/fruit', '/foo/nothing'),
    ...at(json, '', '?format=json', '?format=dag-json', '?format=raw'),
    ...at(dagJson, '', '?format=dag-json', '?format=json', '?format=dag-cbor'),
    ...at('bafkqaaa', '', '?format=raw', '?format=car'),
    ...at('bafkqablimvwgy3y', '', '/'),
    ...at(missing, '', '?format=raw', '?format=car'),
    ...at('not-a-cid', '', '/x'),
    '/ipfs/',
    `/ipfs/${files}/subdir/../subdir/fnord`,
    `/ipfs/${files}/%00`,
    `/ipfs/${files}/%ff`,
    `/ipfs/?uri=${encodeURIComponent(`ipfs://${files}/subdir/fnord?x=1`)}`,
    `/ipfs/?uri=https%3A%2F%2Fexample.com`,
    `/ipfs/ipfs/${files}/subdir/fnord`,
    '/ipns/!!',
    '/ipns/',
  ].map((path): Sent => ({ path }));
  const parts: Sent[] = [
    'bytes=0-9',
    'bytes=9990-',
    'bytes=-5',
    'bytes=0-99999',
    'bytes=10000-',
    'bytes=20000-30000',
    'bytes=-0',
    'bytes=5-2',
    'bytes=x',
    'lines=1-2',
    'bytes=-20000',
  ].flatMap((range) => [
    { path: `/ipfs/${chunked}/long.bin`, headers: { range } },
    { path: `/ipfs/${chunked}/long.bin`, headers: { range }, method: 'HEAD' as const },
    { path: `/ipfs/${files}/subdir/fnord?format=raw`, headers: { range } },
  ]);
  const formats = [
    '?format=raw',
    '?format=car',
    '?format=json',
    '?format=cbor',
    '?format=dag-json',
    '?format=dag-cbor',
    '?format=ipns-record',
    '?format=nonsense',
    '?format=',
    '?format=car&dag-scope=block',
    '?format=car&dag-scope=entity',
    '?format=car&dag-scope=all',
    '?format=car&dag-scope=other',
    '?format=car&entity-bytes=0:5',
    '?format=car&entity-bytes=x',
    '?format=car&entity-bytes=9:1',
    '?format=car&entity-bytes=-1:-9',
    '?format=car&car-dups=y',
    '?format=car&car-dups=maybe',
    '?format=car&car-order=unk',
    '?format=car&car-order=other',
    '?format=car&car-version=2',
    '?format=car&filename=x.car',
    '?format=raw&filename=x.bin',
    '?format=raw&download=true',
  ].flatMap((search) => [
    ...at(files, `/subdir${search}`, `/subdir/fnord${search}`, `/nothing${search}`).map((path) => ({ path })),
    { path: `/ipfs/${files}/subdir/fnord${search}`, method: 'HEAD' as const },
  ]);
  const scopes = [
    '0:999',
    '0:1000',
    '2500:2600',
    '-1000:*',
    '-1:*',
    '500:-8500',
    '0:*',
    '20000:*',
    '999999:1000000',
  ].flatMap((bytes) => [{ path: `/ipfs/${chunked}/long.bin?format=car&entity-bytes=${bytes}` }]);
  const accepts = [
    RAW,
    CAR,
    `${CAR};version=1;order=dfs;dups=y`,
    `${CAR}; version=2`,
    `${CAR};order=unk;dups=n`,
    `${RAW};q=0.5, ${CAR}`,
    'application/json',
    'application/vnd.ipld.dag-json',
    'application/vnd.ipld.dag-cbor',
    'application/x-tar',
    'application/vnd.ipfs.ipns-record',
    'text/html',
    'text/html,application/xhtml+xml,*/*;q=0.8',
    'application/*',
    '*/*',
    'nonsense',
  ].flatMap((accept) => [
    { path: `/ipfs/${files}/subdir/fnord`, headers: { accept } },
    { path: `/ipfs/${files}/subdir`, headers: { accept } },
    { path: `/ipfs/${cbor}`, headers: { accept } },
    { path: `/ipfs/${files}/subdir/fnord?format=raw`, headers: { accept } },
  ]);
  const conditions = [
    ...[`/ipfs/${files}/subdir/fnord`, `/ipfs/${files}/subdir/`, `/ipfs/${spa}/`, `/ipfs/${cbor}?format=raw`].flatMap(
      (path) => [
        { path, headers: { 'if-none-match': '*' } },
        { path, headers: { 'if-none-match': '"other"' } },
      ],
    ),
    { path: `/ipfs/${names}/plain.txt`, headers: { 'if-none-match': `"${cids['plain']}"` } },
    { path: `/ipfs/${names}/plain.txt`, headers: { 'if-none-match': `W/"${cids['plain']}"` } },
    { path: `/ipfs/${names}/plain.txt`, headers: { 'if-none-match': `"a", "${cids['plain']}"` } },
    { path: `/ipfs/${names}/plain.txt?format=raw`, headers: { 'if-none-match': `"${cids['plain']}.raw"` } },
    { path: `/ipfs/${names}/plain.txt?format=raw`, headers: { 'if-none-match': `"${cids['plain']}"` } },
    { path: `/ipfs/${dated}/file1`, headers: { 'if-modified-since': 'Fri, 27 Nov 2026 00:00:00 GMT' } },
    { path: `/ipfs/${dated}/file1`, headers: { 'if-modified-since': 'Fri, 27 Nov 1970 00:00:00 GMT' } },
    ...[files, missing].flatMap((root) =>
      (['GET', 'HEAD'] as const).map((method) => ({
        path: `/ipfs/${root}/`,
        method,
        headers: { 'cache-control': 'only-if-cached' },
      })),
    ),
    { path: `/ipfs/${names}/plain.txt`, headers: { 'service-worker': 'script' } },
    { path: `/ipfs/${names}`, headers: { 'service-worker': 'script' } },
  ];
  const methods = (['HEAD', 'POST', 'OPTIONS'] as const).flatMap((method) => [
    { path: `/ipfs/${names}/plain.txt`, method },
    { path: `/ipfs/${files}/subdir/`, method },
    { path: `/ipfs/${files}/subdir`, method },
    { path: `/ipfs/${cbor}`, method },
    { path: `/ipfs/${files}/nothing`, method },
  ]);
  const hosts = [
    ...[
      `/ipfs/${files}/subdir/fnord?x=1`,
      `/ipfs/${files}`,
      '/ipfs/QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR/a%20b',
      '/ipfs/not-a-cid',
      '/ipns/12D3KooWGPkbjZRP1T5XeDHMvbxq6aZeC2mEwUrxnMWqMDMhdsDD/x',
      '/ipns/k51qzi5uqu5dgutdk6i1ynyzgkqngpha5xpgia3a5qqp4jsh0u4csozksxel2r',
      `/ipfs/${'bafkrgqbnqsvg2zhhqvvc6rvmmd4bcj2nyqgi6uz6lfqfn4l6ivv4jcvxc6hkrspkzkplryodtxb7acyf44i'.concat('a'.repeat(20))}`,
      '/ipns/not_a_name',
    ].map((path) => ({ path, host: 'localhost' })),
    ...['/', '/subdir', '/subdir/', '/subdir/fnord', '/nothing', `/ipfs/${files}/subdir/fnord`].map((path) => ({
      path,
      host: `${files}.ipfs.localhost`,
    })),
    ...['/', '/any/path', '/index.html', '/any?x=1'].map((path) => ({ path, host: `${spa}.ipfs.localhost` })),
    { path: '/x?format=raw', host: `${spa}.ipfs.localhost` },
    ...[
      '/source1/source-segment?param=1',
      '/source2/source-segment/x',
      '/source3/source-segment?a=b',
      '/source4/any?q=1',
      '/target-file',
      '/none',
    ].map((path) => ({ path, host: `${query}.ipfs.localhost` })),
    ...[
      '/moved',
      '/moved/',
      '/301/x',
      '/302/x',
      '/303/x',
      '/307/x',
      '/308/x',
      '/posts/2026/11/hello',
      '/pages/a/b/c',
      '/away/a/b',
      '/gone/x',
      '/law/x',
      '/lost/x',
      '/page/fnord',
      '/unknown',
    ].map((path) => ({ path, host: `${cids['rules']}.ipfs.localhost` })),
    { path: '/x', host: `${cids['badRules']}.ipfs.localhost` },
    { path: '/', host: 'not-a-cid.ipfs.localhost' },
    { path: '/', host: 'QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR.ipfs.localhost' },
  ];
  return [...content, ...parts, ...formats, ...scopes, ...accepts, ...conditions, ...methods, ...hosts];
}
