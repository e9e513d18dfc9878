/** One measured figure of a bench suite. Medians; a ratio's peer ran in the same process or the same minute. */
export interface Figure {
  name: string;
  /** null when it could not be measured here; the reason is in `note`. */
  value: number | null;
  unit: string;
  better: 'higher' | 'lower';
  goal?: number;
  /** Smallest and largest of the repeated measurements. */
  spread?: [number, number];
  peer?: { name: string; value: number };
  note?: string;
}

/** A suite is a module that exports `run`; progress lines go to the terminal while it works. */
export type Suite = (progress: (line: string) => void) => Promise<Figure[]>;
