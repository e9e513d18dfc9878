import { Request } from './request';
import { Response, sendHeadOnly } from './response';
import { pathSegments, urlDecode } from './url';

/** What a route calls: the request, and what the names in its pattern stand for. */
export type RouteHandler = (req: Request, params: Params) => Response;

/** The parts of a path that a pattern names. */
export class Params {
  private names: string[] = [];
  private values: string[] = [];

  /** What `:name` stands for, decoded; `fallback` where the pattern has no such name. */
  get(name: string, fallback: string = ''): string {
    const at = this.names.indexOf(name);
    return at < 0 ? fallback : this.values[at];
  }

  has(name: string): bool {
    return this.names.includes(name);
  }

  /** For the router. */
  set(name: string, value: string): void {
    this.names.push(name);
    this.values.push(value);
  }
}

class Route {
  segments: string[];

  constructor(
    public method: string,
    pattern: string,
    public handler: RouteHandler,
  ) {
    if (!pattern.startsWith('/')) throw new Error('a route begins with /: ' + pattern);
    this.segments = pathSegments(pattern);
  }

  /** The names in the pattern with what they stand for, or null for another path. */
  match(path: string[]): Params | null {
    const segments = this.segments;
    const params = new Params();
    for (let i = 0; i < segments.length; i++) {
      const segment = segments[i];
      if (segment.startsWith('*')) {
        params.set(segment.substring(1), urlDecode(path.slice(i).join('/')));
        return params;
      }
      if (i == path.length) return null;
      const value = urlDecode(path[i]);
      if (segment.startsWith(':')) {
        if (value.length == 0) return null;
        params.set(segment.substring(1), value);
      } else if (segment != value) return null;
    }
    return segments.length == path.length ? params : null;
  }
}

/**
 * Calls the function whose method and pattern fit a request; the first that was added wins.
 *
 * A pattern is a path: `:name` stands for one segment that is not empty, `*rest` at the end for all that is left, also
 * nothing. Whatever fits no pattern is answered with 404, a path without this method with 405 and `Allow`, HEAD as GET
 * without a body, OPTIONS with `Allow`.
 *
 * ```ts
 * const app = new Router().get('/', home).get('/page/:name', page).post('/sign', sign);
 * export function handle(req: Request): Response {
 *   return app.handle(req);
 * }
 * ```
 */
export class Router {
  private routes: Route[] = [];
  private otherwise: RouteHandler | null = null;

  get(pattern: string, handler: RouteHandler): Router {
    return this.on('GET', pattern, handler);
  }

  post(pattern: string, handler: RouteHandler): Router {
    return this.on('POST', pattern, handler);
  }

  put(pattern: string, handler: RouteHandler): Router {
    return this.on('PUT', pattern, handler);
  }

  patch(pattern: string, handler: RouteHandler): Router {
    return this.on('PATCH', pattern, handler);
  }

  delete(pattern: string, handler: RouteHandler): Router {
    return this.on('DELETE', pattern, handler);
  }

  /** Any other method, in capital letters. */
  on(method: string, pattern: string, handler: RouteHandler): Router {
    this.routes.push(new Route(method, pattern, handler));
    return this;
  }

  /** Answers what fits no pattern, in place of the plain 404. */
  notFound(handler: RouteHandler): Router {
    this.otherwise = handler;
    return this;
  }

  handle(req: Request): Response {
    const method = req.method;
    const isHead = method == 'HEAD';
    const path = pathSegments(req.path);
    const allowed: string[] = [];
    for (let i = 0; i < this.routes.length; i++) {
      const route = this.routes[i];
      const isRight = route.method == method || (isHead && route.method == 'GET');
      if (!isRight && allowed.includes(route.method)) continue;
      const params = route.match(path);
      if (params === null) continue;
      if (!isRight) {
        allowed.push(route.method);
        continue;
      }
      if (isHead) sendHeadOnly();
      return route.handler(req, params);
    }
    if (allowed.length == 0) {
      const otherwise = this.otherwise;
      if (otherwise === null) return Response.notFound();
      if (isHead) sendHeadOnly();
      return otherwise(req, new Params());
    }
    if (allowed.includes('GET')) allowed.push('HEAD');
    const allow = allowed.join(', ');
    if (method == 'OPTIONS') return new Response(204).header('allow', allow + ', OPTIONS');
    return Response.text('method not allowed\n', 405).header('allow', allow);
  }
}
