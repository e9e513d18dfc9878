/** A server that answers `targetOf(n)` with `page(visitorOf(n))`. */
export interface Contender {
  name: string;
  port: number;
  /** The Host header that it answers. */
  host: string;
  stop(): Promise<void>;
}
