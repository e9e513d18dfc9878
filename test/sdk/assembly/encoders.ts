import {
  Html,
  Json,
  JsonKind,
  JsonValue,
  JsonWriter,
  Params,
  Request,
  Response,
  Router,
  escapeHtml,
  quoteJson,
  urlDecode,
  urlEncode,
} from 'workswap';

const app = new Router()
  .post('/html', (req: Request, _: Params) => Response.page(new Html().text(req.text)))
  .post('/html-string', (req: Request, _: Params) => Response.text(escapeHtml(req.text)))
  .post('/link', (req: Request, _: Params) => Response.page(new Html().raw('<a').link('href', req.text).raw('>')))
  .post('/quote', (req: Request, _: Params) => Response.json(quoteJson(req.text)))
  .post('/json', json)
  .post('/json-is', (req: Request, _: Params) => Response.text(Json.parse(req.text).exists ? 'yes' : 'no'))
  .post('/url-encode', (req: Request, _: Params) => Response.text(urlEncode(req.text)))
  .post('/url-decode', (req: Request, _: Params) => Response.text(urlDecode(req.text)))
  .post('/cookie', (req: Request, _: Params) => new Response().cookie('c', req.text).cookie('d', 'x', 'Max-Age=0'))
  .get('/cookie', (req: Request, _: Params) => Response.text(req.cookies.get('c', 'none')))
  .post('/text', (req: Request, _: Params) => Response.text(req.text))
  .get('/query', (req: Request, _: Params) => Response.text(req.query.all('q').join('\n')))
  .post('/form', (req: Request, _: Params) => Response.text(req.form.get('q', 'none')));

export function handle(req: Request): Response {
  return app.handle(req);
}

function json(req: Request, _: Params): Response {
  const writer = new JsonWriter();
  copy(Json.parse(req.text), writer);
  return Response.json(writer.toString());
}

function copy(value: JsonValue, writer: JsonWriter): void {
  switch (value.kind) {
    case JsonKind.Null:
      writer.null();
      break;
    case JsonKind.Bool:
      writer.bool(value.asBool());
      break;
    case JsonKind.Number:
      writer.number(value.asNumber());
      break;
    case JsonKind.String:
      writer.string(value.asString());
      break;
    case JsonKind.Array:
      writer.array();
      for (let i = 0; i < value.length; i++) copy(value.at(i), writer);
      writer.end();
      break;
    case JsonKind.Object: {
      const keys = value.keys();
      writer.object();
      for (let i = 0; i < keys.length; i++) copy(value.get(keys[i]), writer.key(keys[i]));
      writer.end();
      break;
    }
    default:
      throw new Error('nothing to copy');
  }
}
