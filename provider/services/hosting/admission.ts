import { Tally } from '../../tally.ts';
import { ServiceError } from '../errors.ts';
import type { ServicesLimits } from '../limits.ts';

/** The `[services] host` of workswap.toml. */
export type HostPolicy = 'nobody' | 'allowed' | 'anyone';

export interface AdmissionInit {
  policy: HostPolicy;
  /** Peers whose services are hosted under `allowed`. */
  allowed: ReadonlySet<string>;
  limits: Pick<ServicesLimits, 'servicesMax' | 'servicesPerMaintainerMax' | 'hostingsMax' | 'hostingsPerMaintainerMax'>;
}

/** Whose services are hosted, how many, and how many requests to host are worked on at once. */
export class Admission {
  readonly #init: AdmissionInit;
  readonly #underWay = new Tally();

  constructor(init: AdmissionInit) {
    this.#init = init;
  }

  /** Call the answer when the request has ended. @throws ServiceError HOSTING_REFUSED, HOSTING_LIMIT, TOO_OFTEN */
  enter(maintainer: string, hosted: { maintainer: string }[], isNew: boolean): () => void {
    const { policy, allowed, limits } = this.#init;
    if (policy === 'nobody' || (policy === 'allowed' && !allowed.has(maintainer))) {
      throw new ServiceError(
        'HOSTING_REFUSED',
        policy === 'nobody'
          ? 'This provider hosts no services.'
          : `This provider hosts services of peers that it knows. Its operator can add ${maintainer} to credit.allow.`,
      );
    }
    if (isNew) {
      const own = hosted.filter((service) => service.maintainer === maintainer).length;
      check(
        hosted.length < limits.servicesMax,
        `This provider hosts ${limits.servicesMax} services and takes no more.`,
      );
      check(
        own < limits.servicesPerMaintainerMax,
        `This provider hosts ${limits.servicesPerMaintainerMax} services of yours and takes no more.`,
      );
    }
    const { total } = this.#underWay;
    if (total >= limits.hostingsMax || this.#underWay.of(maintainer) >= limits.hostingsPerMaintainerMax) {
      throw new ServiceError('TOO_OFTEN', 'A request to host is under way already; ask again when it has ended.');
    }
    this.#underWay.add(maintainer);
    return () => this.#underWay.remove(maintainer);
  }
}

function check(holds: boolean, message: string): void {
  if (!holds) throw new ServiceError('HOSTING_LIMIT', message);
}
