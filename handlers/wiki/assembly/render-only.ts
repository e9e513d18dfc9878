import { Request, Response } from 'workswap';
import { Markdown } from './markdown/render';
import { WikiLinks } from './markdown/wiki-links';

/** The renderer alone, for its tests: Markdown in, HTML out. Only pages whose name begins with a capital exist. */
export function handle(req: Request): Response {
  const wiki = new WikiLinks(
    (name) => encodeURIComponent(name),
    (name) => name.charCodeAt(0) < 0x61,
  );
  return Response.html(Markdown.render(req.text, wiki));
}
