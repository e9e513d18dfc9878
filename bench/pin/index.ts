import { goVersion } from '../../test/interop/go-program.ts';
import type { Figure } from '../types.ts';
import { timesBesideKubo } from './kubo.ts';
import { measureMillion } from './million.ts';
import { median, spread } from '../measure.ts';

/** `npm run -s bench -- pin`: pinning beside Kubo, and a store of a million pinned blocks. Takes some GB in the temporary directory. */
export async function run(progress: (line: string) => void): Promise<Figure[]> {
  return [await versusKubo(progress), ...(await million(progress))];
}

async function versusKubo(progress: (line: string) => void): Promise<Figure> {
  const figure = { name: 'pinVersusKubo', unit: 'ratio of times', better: 'lower', goal: 1.5 } as const;
  if (goVersion === undefined) return { ...figure, value: null, note: 'Go is not installed, so there is no Kubo' };
  const { ours, kubo, mib } = await timesBesideKubo(progress);
  const ratios = ours.map((ms, round) => ms / kubo[round]!);
  return {
    ...figure,
    value: median(ratios),
    spread: spread(ratios),
    peer: { name: 'Kubo, s', value: median(kubo) / 1000 },
    note: `${mib} MiB from Kubo, ${(median(ours) / 1000).toFixed(1)} s`,
  };
}

async function million(progress: (line: string) => void): Promise<Figure[]> {
  const { blocks, restartsMs, idleMB, gcMB, gcSeconds, removed } = await measureMillion(progress);
  return [
    {
      name: 'restartMs',
      value: median(restartsMs),
      unit: 'ms',
      better: 'lower',
      goal: 3000,
      spread: spread(restartsMs),
      note: `${blocks} pinned blocks, from the start of the process to ready`,
    },
    {
      name: 'gcResidentMB',
      value: gcMB,
      unit: 'MiB',
      better: 'lower',
      goal: 500,
      note: `the whole provider at its peak, ${Math.round(idleMB)} before; ${removed} of ${blocks + removed} blocks removed in ${gcSeconds.toFixed(1)} s`,
    },
  ];
}
