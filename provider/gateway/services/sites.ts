import type { CID } from 'multiformats/cid';
import { JobError, normalizeRequest } from '../../../sdk/client/index.ts';
import { PATH_BYTES_MAX, QUERY_BYTES_MAX } from '../../../sdk/protocol/constants.ts';
import type { ResolvedService, ServiceRunner } from '../../services/index.ts';
import type { GetBlock } from '../../store/index.ts';
import { parsePath, splitTarget } from '../content/index.ts';
import { HttpError, type HttpReply, type HttpRequest } from '../http/index.ts';
import type { GatewayLimits } from '../limits.ts';
import type { Visitors } from '../visitors/index.ts';
import { separateOrigin } from '../shared-origin.ts';
import { holdAnswer, wholeAnswer } from './answer.ts';
import { compress } from './compress.ts';
import { asHttpError } from './errors.ts';
import { evidenceCar } from './evidence.ts';
import { JobClock } from './job-clock.ts';
import { carReply, dynamicReply, receiptReply, splitEvidence } from './replies.ts';
import { requestHeaders } from './request-headers.ts';
import { responseHeaders } from './response-headers.ts';
import { SiteFiles } from './site-files.ts';

export interface SitesInit {
  runner: ServiceRunner;
  getBlock: GetBlock;
  limits: GatewayLimits;
  visitors: Visitors;
  showFailures: boolean;
}

export interface SiteRequest {
  /** IPNS name or short name. */
  name: string;
  /** Path and query below the service. */
  target: string;
  /** False at `/workswap/NAME`, where all services share a host. */
  isOwnOrigin: boolean;
  /** Whether cookies of the host are this service's alone. Those of an address and of `localhost` go to every port there. */
  hasCookies: boolean;
  /** Whose line the work counts on. */
  client: string;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const ALLOW = METHODS.join(', ');
/** Services as web sites: files of the site, rules of `_redirects`, and the handler for everything else. */
export class Sites {
  readonly #init: SitesInit;
  readonly #files: SiteFiles;
  readonly #clock: JobClock;

  constructor(init: SitesInit) {
    this.#init = init;
    this.#files = new SiteFiles(init.getBlock, init.limits.blockTimeoutMs);
    this.#clock = new JobClock(init.limits.serviceTimeoutMs);
  }

  close(): void {
    this.#clock.close();
  }

  async serve(request: HttpRequest, site: SiteRequest): Promise<HttpReply> {
    if (!METHODS.includes(request.method)) {
      throw new HttpError(405, 'METHOD_NOT_ALLOWED', `The methods of services are ${ALLOW}`, {
        headers: { allow: ALLOW },
      });
    }
    // A preflight of another origin is answered without permissions: only the service can give them, on its answers.
    if (request.method === 'OPTIONS') return { status: 204, headers: { allow: ALLOW } };
    try {
      const { path, query } = checkedTarget(site.target);
      const found = this.#init.runner.resolve(site.name, request.cancellation);
      const service = found instanceof Promise ? await found : found;
      const file = service.site && (await this.#fileOf(request, service.site, path, query, site.isOwnOrigin));
      const shaped = compress(request, file ?? (await this.#run(request, service, path, query, site)));
      return secured(shaped instanceof Promise ? await shaped : shaped, site.isOwnOrigin);
    } catch (error) {
      throw asHttpError(error, this.#init.showFailures);
    }
  }

  async #fileOf(
    request: HttpRequest,
    site: CID,
    path: string,
    query: string,
    isOwnOrigin: boolean,
  ): Promise<HttpReply | undefined> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
    return this.#files.reply(request, site, { path, search: query === '' ? '' : `?${query}`, isOwnOrigin });
  }

  async #run(
    request: HttpRequest,
    service: ResolvedService,
    path: string,
    query: string,
    { hasCookies, client }: SiteRequest,
  ): Promise<HttpReply> {
    const { runner, limits, visitors } = this.#init;
    const [evidence, own] = splitEvidence(query);
    const hasBody =
      request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
    const body = hasBody ? await request.body(limits.bodyBytesMax) : undefined;
    const asked: Parameters<ServiceRunner['run']>[1] = {
      method: request.method,
      path: own === '' ? path : `${path}?${own}`,
      headers: requestHeaders(request.headers, hasCookies),
    };
    if (body !== undefined) asked.body = body;
    // A CAR holds the input, so what the runner would choose is chosen here.
    const job = evidence === 'car' ? normalizeRequest(asked) : undefined;
    if (job !== undefined) Object.assign(asked, { timeMs: job.timeMs, seed: job.seed });
    const nowMs = performance.now();
    const admitted = visitors.admit(client, service.name, nowMs);
    const stopClock = this.#clock.start(request, nowMs);
    try {
      const response = await runner.run(service, asked, request.cancellation);
      const answer = wholeAnswer(response) ?? (await holdAnswer(response));
      // What streams is counted when its receipt is there.
      if (answer.isWhole) admitted.settle(answer.figures.priceBytes);
      else
        answer.receipt.then(
          (sealed) => admitted.settle(sealed.receipt.priceBytes),
          () => admitted.settle(admitted.heldBytes),
        );
      if (evidence === undefined) {
        const headers = responseHeaders(response.headers, hasCookies);
        return dynamicReply(request, response.status, headers, answer, performance.now() - nowMs);
      }
      const sealed = await response.receipt();
      if (job === undefined) return receiptReply(sealed);
      return carReply(sealed, await evidenceCar(sealed, job, service.name, this.#init.getBlock, request.signal));
    } catch (error) {
      const receipt = error instanceof JobError ? error.receipt?.receipt : undefined;
      // Who goes away while the work goes on has had the work.
      const { aborted, reason } = request.cancellation;
      admitted.settle(receipt?.priceBytes ?? (aborted ? admitted.heldBytes : 0));
      // Why a job was cancelled is known here only.
      throw aborted ? reason : error;
    } finally {
      stopClock();
    }
  }
}

/** @throws HttpError 414, 400 */
function checkedTarget(target: string): { path: string; query: string } {
  const { path, query } = splitTarget(target);
  if (path.length > PATH_BYTES_MAX || query.length > QUERY_BYTES_MAX) {
    const limits = `${PATH_BYTES_MAX} bytes of path and ${QUERY_BYTES_MAX} of query`;
    throw new HttpError(414, 'URL_TOO_LONG', `An address has at most ${limits}`);
  }
  parsePath(path);
  return { path, query };
}

function secured(reply: HttpReply, isOwnOrigin: boolean): HttpReply {
  const { headers } = reply;
  headers['x-content-type-options'] ??= 'nosniff';
  headers['referrer-policy'] ??= 'strict-origin-when-cross-origin';
  if (!isOwnOrigin) separateOrigin(headers);
  return reply;
}
