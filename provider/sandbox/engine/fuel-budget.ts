import { fuelAffordable } from '../../../sdk/protocol/tariff.ts';
import type { JobBudget, JobLimits } from '../types.ts';

/**
 * The fuel that a job may burn in all. It starts as the smaller of `fuelMax` and what `priceMax` buys, and is cut
 * whenever output, blocks or the state take another part of `priceMax`. Memory is counted at the job's limit from the start,
 * because its rate multiplies fuel that has been burnt already.
 *
 * Invariant: a job that burns no more than `given` costs no more than `priceMax`, unless `priceMax` does not even buy a
 * job that does nothing; then `given` is 0 and the job must not start.
 */
export class FuelBudget {
  readonly #limits: JobLimits;
  readonly #budget: JobBudget | undefined;
  readonly #inputBytes: number;
  #given: number;
  /** False when `priceMax` does not buy a job that does nothing. */
  readonly sufficient: boolean;

  constructor(limits: JobLimits, inputBytes: number, budget: JobBudget | undefined) {
    this.#limits = limits;
    this.#budget = budget;
    this.#inputBytes = inputBytes;
    const affordable = this.affordable(0, 0, 0);
    this.sufficient = affordable >= 0;
    this.#given = Math.max(0, Math.min(limits.fuelMax, affordable));
  }

  /** Total fuel that may be burnt. */
  get given(): number {
    return this.#given;
  }

  /** True when the price, and not `fuelMax`, is what limits the fuel. */
  get limitedByPrice(): boolean {
    return this.#given < this.#limits.fuelMax;
  }

  /** Total fuel that `priceMax` buys beside so many bytes of output, read and written; negative when it does not buy these. */
  affordable(outputBytes: number, readBytes: number, writtenBytes: number): number {
    if (this.#budget === undefined) return Number.POSITIVE_INFINITY;
    const { rates, priceMax, compiledBytes } = this.#budget;
    return fuelAffordable(rates, priceMax, {
      compiledBytes,
      inputBytes: this.#inputBytes,
      outputBytes,
      readBytes,
      writtenBytes,
      memoryPagesPeak: this.#limits.memoryPagesMax,
    });
  }

  cutTo(total: number): void {
    this.#given = Math.min(this.#given, total);
  }
}
