import { KINDS } from './kinds';
import type { Probe } from './probe';
import type { Results } from './results';
import { withBlanks } from './table';

interface Panel {
  title: string;
  value: (probe: Probe) => number;
  unit: string;
  /** From and to, powers of ten. */
  span: [from: number, to: number];
  /** What the value should stay below. */
  wanted?: number;
}

const PANELS: Panel[] = [
  { title: 'Start', value: ({ start }) => start, unit: 'ms', span: [0, 4], wanted: 2000 },
  { title: 'Look-up', value: ({ lookUp }) => lookUp, unit: 'µs', span: [0, 3], wanted: 100 },
  { title: 'Memory', value: ({ memory }) => memory, unit: 'MiB', span: [0, 3] },
  { title: 'Disk', value: ({ disk }) => disk, unit: 'MiB', span: [0, 4] }
];

/** Told apart also by those who do not tell colours apart: each line has marks of its own. */
const LOOKS = [
  { colour: '#0b62a4', mark: (x: number, y: number) => `<circle cx="${x}" cy="${y}" r="4"/>` },
  {
    colour: '#b3541e',
    mark: (x: number, y: number) => `<rect x="${x - 4}" y="${y - 4}" width="8" height="8"/>`
  },
  {
    colour: '#3d7a2a',
    mark: (x: number, y: number) => `<path d="M${x} ${y - 5}L${x + 5} ${y + 4}H${x - 5}Z"/>`
  }
];

const WIDTH = 380;
const HEIGHT = 240;
const EDGE = { left: 62, right: 40, top: 36, bottom: 36 };

/** The values of the table as four drawings, both axes logarithmic (SVG). */
export function growthPlot(results: Results, sizes: readonly number[]): string {
  const panels = PANELS.map((panel, index) => {
    const [x, y] = [(index % 2) * WIDTH, Math.floor(index / 2) * HEIGHT];
    return `<g transform="translate(${x} ${y})">${panelOf(panel, results, sizes)}</g>`;
  });
  const height = 2 * HEIGHT + 40;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * WIDTH} ${height}" font-family="sans-serif" font-size="12" role="img">`,
    '<title>Start, look-up, memory and disk by the number of entries; the table has the values</title>',
    // The page may be dark.
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...panels,
    legend(2 * HEIGHT + 20),
    '</svg>',
    ''
  ].join('\n');
}

function panelOf(
  { title, value, unit, span, wanted }: Panel,
  results: Results,
  sizes: readonly number[]
): string {
  const across = scale(
    [Math.log10(sizes[0] ?? 1), Math.log10(sizes.at(-1) ?? 1)],
    [EDGE.left, WIDTH - EDGE.right]
  );
  const up = scale(span, [HEIGHT - EDGE.bottom, EDGE.top]);
  const powers = Array.from({ length: span[1] - span[0] + 1 }, (_value, index) => span[0] + index);
  const grid = powers.map((power) => {
    const y = up(power);
    const text = `<text x="${EDGE.left - 6}" y="${y + 4}" text-anchor="end">${withBlanks(10 ** power)} ${unit}</text>`;
    return `<path d="M${EDGE.left} ${y}H${WIDTH - EDGE.right}" stroke="#ddd"/>${text}`;
  });
  const ticks = sizes.map((size) => {
    const x = across(Math.log10(size));
    return `<text x="${x}" y="${HEIGHT - EDGE.bottom + 18}" text-anchor="middle">${withBlanks(size)}</text>`;
  });
  const limit =
    wanted === undefined
      ? ''
      : limitOf(up(Math.log10(wanted)), `wanted: below ${withBlanks(wanted)} ${unit}`);
  const lines = Object.keys(KINDS).map((kind, index) => {
    const { colour, mark } = LOOKS[index % LOOKS.length]!;
    const points = sizes.flatMap((size) => {
      const probe = results.of(kind, size)?.start;
      // The axis begins at its first power.
      const power = probe && Math.min(span[1], Math.max(span[0], Math.log10(value(probe))));
      return power === undefined
        ? []
        : [[Math.round(across(Math.log10(size))), Math.round(up(power))] as const];
    });
    const path = points.map(([x, y]) => `${x},${y}`).join(' ');
    const marks = points.map(([x, y]) => mark(x, y)).join('');
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/><g fill="${colour}">${marks}</g>`;
  });
  const head = `<text x="${EDGE.left}" y="20" font-size="14" font-weight="bold">${title}</text>`;
  return [head, ...grid, ...ticks, limit, ...lines].join('\n');
}

function limitOf(y: number, text: string): string {
  const line = `<path d="M${EDGE.left} ${y}H${WIDTH - EDGE.right}" stroke="#b00" stroke-dasharray="5 4"/>`;
  return `${line}<text x="${EDGE.left + 4}" y="${y - 4}" fill="#b00">${text}</text>`;
}

function legend(y: number): string {
  return Object.values(KINDS)
    .map(({ label }, index) => {
      const { colour, mark } = LOOKS[index % LOOKS.length]!;
      const x = EDGE.left + index * 220;
      return `<g fill="${colour}">${mark(x, y - 4)}</g><text x="${x + 12}" y="${y}">${label}</text>`;
    })
    .join('');
}

function scale(
  [from, to]: readonly [number, number],
  [begin, end]: readonly [number, number]
): (value: number) => number {
  return (value) => Math.round(begin + ((value - from) / (to - from || 1)) * (end - begin));
}
