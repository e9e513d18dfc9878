import { WorkswapError } from '../../sdk/protocol/index.ts';
import { Content } from './content/index.ts';
import { Hosts, type Site } from './hosts.ts';
import {
  createListener,
  errorReply,
  HttpError,
  ListenError,
  parseListenAddress,
  startServer,
  STYLE,
  type HttpReply,
  type HttpRequest,
} from './http/index.ts';
import { GATEWAY_LIMITS, type GatewayLimits } from './limits.ts';
import { Pins } from './pins/index.ts';
import { Names } from './ipns.ts';
import { ContentRoutes } from './routes.ts';
import { Sites, type SiteRequest } from './services/index.ts';
import { separateOrigin } from './shared-origin.ts';
import type { GatewayInit, GatewayStats } from './types.ts';
import { clientKey, forwardedClient, Visitors } from './visitors/index.ts';

export interface Gateway {
  /** `http://HOST:PORT` */
  url: string;
  port: number;
  /** One request, without the network: what the server does with each. */
  handle(request: HttpRequest): Promise<HttpReply>;
  stats(): GatewayStats;
  /** Lets answers under way end for a while, then closes every connection; what they fetch is aborted. */
  stop(): Promise<void>;
}

const CODES_COUNTED_MAX = 100;

type Place = Pick<SiteRequest, 'isOwnOrigin' | 'hasCookies'>;
const OWN: Place = { isOwnOrigin: true, hasCookies: true };
const SHARED: Place = { isOwnOrigin: false, hasCookies: false };

/** Starts the HTTP gateway. @throws ListenError */
export async function createGateway(init: GatewayInit): Promise<Gateway> {
  const { config, runner, onError = () => {} } = init;
  const address = parseListenAddress(config.listen);
  if (address === undefined) throw new ListenError(config.listen, 'it is not HOST:PORT, for example 127.0.0.1:8080');
  const limits = limitsOf(config);
  const { trustProxy = false, subdomains = true, showFailures = false } = config;
  const hosts = new Hosts(config.domains ?? []);
  const visitors = new Visitors(limits);
  const { getBlock, hasBlock, resolveIpns, resolveDnsLink } = init;
  const content = new Content({ getBlock, hasBlock, ...limits });
  const names = new Names({ resolveIpns, resolveDnsLink });
  const routes = new ContentRoutes({ content, names, subdomains, trustProxy });
  const pins = init.pinning && new Pins(init.pinning);
  const sites = runner && new Sites({ runner, getBlock, limits, visitors, showFailures });
  const refused: Record<string, number> = {};

  async function handle(request: HttpRequest): Promise<HttpReply> {
    try {
      const address = trustProxy ? forwardedClient(request.headers, request.client) : request.client;
      const client = clientKey(address);
      const leave = visitors.enter(client, performance.now());
      try {
        const site = hosts.siteOf(request.headers.host, request.local);
        if (site.kind === 'service') return await service(request, site.name, request.target, OWN, client);
        return await route(request, site, client);
      } finally {
        leave();
      }
    } catch (error) {
      if (error instanceof WorkswapError) count(error.code);
      if (pins?.owns(request.target) === true) return refusedPin(pins, error);
      throw error;
    }
  }

  async function route(
    request: HttpRequest,
    site: Exclude<Site, { kind: 'service' }>,
    client: string,
  ): Promise<HttpReply> {
    if (site.kind === 'main' && pins?.owns(request.target) === true) return pins.serve(request);
    const reply = await routes.serve(request, site);
    if (reply !== undefined) return site.kind === 'main' && sites !== undefined ? asGuest(reply) : reply;
    const match = /^\/workswap\/([^/?]+)(.*)$/s.exec(request.target);
    if (match !== null) {
      const [, name = '', rest = ''] = match;
      if (rest.startsWith('/')) return service(request, name, rest, SHARED, client);
      return { status: 301, headers: { location: `/workswap/${name}/${rest}` } };
    }
    if (config.service !== undefined) {
      const isDomain = site.kind === 'main' && site.isName && site.name !== 'localhost';
      const place = { isOwnOrigin: true, hasCookies: isDomain };
      return service(request, config.service, request.target, place, client);
    }
    if (request.target.split('?')[0] === '/') return home();
    throw new HttpError(404, 'NOT_FOUND', 'Here are /ipfs/CID, /ipns/NAME and /workswap/NAME');
  }

  function service(
    request: HttpRequest,
    name: string,
    target: string,
    place: Place,
    client: string,
  ): Promise<HttpReply> {
    if (sites === undefined) throw new HttpError(501, 'SERVICES_OFF', 'This gateway runs no services');
    return sites.serve(request, { name, target, client, ...place });
  }

  function refusedPin(all: Pins, error: unknown): HttpReply {
    if (!(error instanceof WorkswapError)) onError(error);
    return all.refuse(error);
  }

  function count(code: string): void {
    if (refused[code] === undefined && Object.keys(refused).length >= CODES_COUNTED_MAX) return;
    refused[code] = (refused[code] ?? 0) + 1;
  }

  const { deadlineMs, requestsMax } = limits;
  const listener = createListener(handle, { deadlineMs, requestsMax, onError });
  const server = await startServer(address, listener.listener, limits);
  return {
    url: server.url,
    port: server.port,
    handle: (request) => handle(request).catch((error: unknown) => errorReply(request, error)),
    stats: () => {
      const { underWay, answered } = listener.stats();
      const connections = server.connections();
      return {
        connections,
        requestsUnderWay: underWay,
        requestsAnswered: answered,
        ...visitors.stats(performance.now()),
        refused: { ...refused },
      };
    },
    async stop() {
      await server.stop();
      listener.close();
      sites?.close();
    },
  };
}

function limitsOf(config: Partial<GatewayLimits>): GatewayLimits {
  const names = Object.keys(GATEWAY_LIMITS) as (keyof GatewayLimits)[];
  const entries = names.map((name) => [name, config[name] ?? GATEWAY_LIMITS[name].default]);
  return Object.fromEntries(entries) as GatewayLimits;
}

/** Content that runs as a page, at a host where services are too: it must not be able to ask them as one of theirs. */
function asGuest(reply: HttpReply): HttpReply {
  if (/html|xml/.test(String(reply.headers['content-type']))) separateOrigin(reply.headers);
  return reply;
}

function home(): HttpReply {
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Workswap gateway</title><style>${STYLE}</style>
<main><h1>Workswap gateway</h1><p>Services are at <code>NAME.localhost</code> with this port, and at <code>/workswap/NAME/</code>;
content of IPFS at <code>/ipfs/CID</code> and <code>/ipns/NAME</code>.</p></main></html>
`;
  const policy = "default-src 'none'; style-src 'unsafe-inline'";
  return {
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy },
    body,
  };
}
