import { Params, Request, Response, Router } from 'workswap';
import { history, index, recent, search } from './lists';
import { isPageName } from './pages';
import { show, showDelete, showDiff, showEdit, showRename } from './views';
import { change } from './changes';

/** A wiki: README.md describes it. */
export function handle(req: Request): Response {
  return new Router()
    .get('/', (req: Request, params: Params) => view(req, 'Home'))
    .get('/_index', (req: Request, params: Params) => index(req.query.get('after')))
    .get('/_recent', (req: Request, params: Params) => recent())
    .get('/_search', (req: Request, params: Params) => search(req.query.get('q').substring(0, 100)))
    .get('/:page', (req: Request, params: Params) => view(req, params.get('page')))
    .post('/:page', (req: Request, params: Params) => change(req, params.get('page')))
    .handle(req);
}

function view(req: Request, name: string): Response {
  if (!isPageName(name)) return Response.text('no page can have this name\n', 404);
  const query = req.query;
  const action = query.get('action');
  if (action == 'edit') return showEdit(name);
  if (action == 'history') return history(name);
  if (action == 'diff') return showDiff(name, query.get('to'));
  if (action == 'rename') return showRename(name, '', 200);
  if (action == 'delete') return showDelete(name);
  return show(name, query.get('rev'));
}
