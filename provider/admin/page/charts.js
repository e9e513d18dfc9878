import uPlot from './uplot.js';
import { $, bytes, element, rate } from './elements.js';

const SAMPLES_MAX = 1800;

let samples = [];

/** Canvas does not know light-dark(), so the colour is asked of an element. */
function inkOf(name) {
  const probe = element('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

const perSecond = (of) => (sample, i) => {
  const before = samples[i - 1];
  if (before === undefined) return null;
  return Math.max(0, (of(sample) - of(before)) / ((sample.timeMs - before.timeMs) / 1000));
};
const CHARTS = [
  [
    'chart-jobs',
    rate,
    [
      ['jobs', '--blue', (s) => s.jobsPerSecond],
      ['failed jobs', '--red', (s) => s.failedPerSecond],
      ['requests at the gateway', '--green', perSecond((s) => s.requestsAnswered)],
    ],
  ],
  [
    'chart-owed',
    bytes,
    [
      ['peers owe us', '--blue', (s) => s.owedToUs],
      ['we owe', '--green', (s) => s.owedByUs],
    ],
  ],
  [
    'chart-bytes',
    bytes,
    [
      ['blocks', '--blue', perSecond((s) => s.blocksSent + s.blocksRecv)],
      ['work', '--green', perSecond((s) => s.workSent + s.workRecv)],
    ],
  ],
  ['chart-memory', bytes, [['resident', '--blue', (s) => s.residentBytes]]],
];
let plots = [];
/** Steps of an axis of bytes. */
const POWERS = Array.from({ length: 50 }, (_, power) => 2 ** power);

/** As the browser's user writes them, to the second where the axis is that fine. */
function times(_, ticks, __, ___, stepSeconds) {
  const format = {
    hourCycle: 'h23',
    hour: '2-digit',
    minute: '2-digit',
    ...(stepSeconds < 60 ? { second: '2-digit' } : {}),
  };
  return ticks.map((tick) => new Date(tick * 1000).toLocaleTimeString(undefined, format));
}

function data(series) {
  return [samples.map(({ timeMs }) => timeMs / 1000), ...series.map(([, , of]) => samples.map(of))];
}

function drawAll() {
  for (const plot of plots) plot.destroy();
  const grid = { stroke: inkOf('--line'), width: 1 };
  const axis = { stroke: inkOf('--quiet'), grid, ticks: grid };
  plots = CHARTS.map(([target, format, series]) => {
    const lines = series.map(([label, ink]) => ({
      label,
      stroke: inkOf(ink),
      width: 1.5,
      points: { show: false },
      value: (_, value) => (value === null ? '' : format(value)),
    }));
    const options = {
      width: $(target).clientWidth,
      height: 170,
      cursor: { drag: { x: false, y: false } },
      scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
      axes: [
        { ...axis, values: times, space: 80, size: 32 },
        {
          ...axis,
          size: 74,
          values: (_, values) => values.map(format),
          ...(format === bytes ? { incrs: POWERS } : {}),
        },
      ],
      series: [{}, ...lines],
    };
    return new uPlot(options, data(series), $(target));
  });
}

/** From now on the charts show these. */
export function showSamples(all) {
  samples = all;
  drawAll();
}

export function addSample(sample) {
  samples.push(sample);
  if (samples.length > SAMPLES_MAX) samples.shift();
  for (const [i, [, , series]] of CHARTS.entries()) plots[i]?.setData(data(series));
}

addEventListener('resize', () => {
  for (const [i, [target]] of CHARTS.entries()) plots[i]?.setSize({ width: $(target).clientWidth, height: 170 });
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
