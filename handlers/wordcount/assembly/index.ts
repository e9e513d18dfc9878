import { Cid, File, Request, Response } from 'workswap';

/**
 * Counts lines, words and bytes of the IPFS file `?cid=`, as `wc` does: a word is a run of bytes that are no white space,
 * so that UTF-8 is counted right without being decoded.
 */
export function handle(req: Request): Response {
  const text = req.query.get('cid');
  const cid = Cid.parse(text);
  if (cid === null) return Response.text('Name a file: ?cid=CID\n', 400);
  const file = new File(cid);
  let bytes: i64 = 0;
  let lines: i64 = 0;
  let words: i64 = 0;
  let inWord = false;
  while (file.next()) {
    const chunk = file.chunk;
    bytes += chunk.length;
    for (let i = 0; i < chunk.length; i++) {
      const byte = unchecked(chunk[i]);
      if (byte == 0x0a) lines++;
      const isSpace = byte == 0x20 || (byte >= 0x09 && byte <= 0x0d);
      if (!isSpace && !inWord) words++;
      inWord = !isSpace;
    }
  }
  return Response.json(
    '{"lines":' + lines.toString() + ',"words":' + words.toString() + ',"bytes":' + bytes.toString() + '}\n',
  );
}
