import { Cid, File, Query, Request, Response, parseNumber, quoteJson } from 'workswap';
import { Counter } from './counter';
import { WordTable } from './word-table';

const TOP_MAX: f64 = 100;
const TOP_DEFAULT: f64 = 10;

/** Figures about the IPFS file `?cid=`; README.md describes the parameters. */
export function handle(req: Request): Response {
  const query = req.query;
  const cid = Cid.parse(query.get('cid'));
  if (cid === null) {
    return Response.text('cid must name a file on IPFS: ?cid=bafy... (UnixFS or raw, by SHA-256)\n', 400);
  }
  const top = topOf(query);
  if (isNaN(top)) return Response.text('top must be a whole number from 0 to 100\n', 400);
  const format = query.get('format', 'json');
  if (format != 'json' && format != 'text') return Response.text('format must be json or text\n', 400);

  const table = new WordTable();
  const counter = new Counter(top > 0 ? table : null);
  const file = new File(cid);
  while (file.next()) counter.add(file.chunk);
  counter.end();
  const words = table.top(<i32>top);
  return format == 'json' ? asJson(counter, table, words) : asText(counter, table, words);
}

function topOf(query: Query): f64 {
  const top = query.has('top') ? parseNumber(query.get('top')) : TOP_DEFAULT;
  return top >= 0 && top <= TOP_MAX && top == Math.floor(top) ? top : NaN;
}

function asJson(counter: Counter, table: WordTable, top: StaticArray<i32>): Response {
  const response = Response.json(
    '{"lines":' +
      counter.lines.toString() +
      ',"words":' +
      counter.words.toString() +
      ',"characters":' +
      counter.characters.toString() +
      ',"bytes":' +
      counter.bytes.toString(),
  );
  if (counter.table !== null) {
    response.write((table.isFull ? ',"distinctAtLeast":' : ',"distinct":') + table.size.toString() + ',"top":[');
    for (let i = 0; i < top.length; i++) {
      const word = quoteJson(table.word(top[i]));
      response.write((i > 0 ? ',' : '') + '{"word":' + word + ',"count":' + table.count(top[i]).toString() + '}');
    }
    response.write(']');
  }
  return response.write('}\n');
}

function asText(counter: Counter, table: WordTable, top: StaticArray<i32>): Response {
  const response = Response.text(
    counter.lines.toString() +
      ' lines\n' +
      counter.words.toString() +
      ' words\n' +
      counter.characters.toString() +
      ' characters\n' +
      counter.bytes.toString() +
      ' bytes\n',
  );
  if (counter.table !== null) {
    response.write((table.isFull ? 'at least ' : '') + table.size.toString() + ' distinct words\n');
  }
  for (let i = 0; i < top.length; i++) {
    response.write(table.count(top[i]).toString() + ' ' + table.word(top[i]) + '\n');
  }
  return response;
}
