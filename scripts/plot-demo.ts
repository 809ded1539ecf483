/** docs/demo.svg from the metrics of `npm start` with seeds 1, 2, 3: `npx tsx scripts/plot-demo.ts`. */
import { writeFileSync } from "node:fs";
import { readMetrics } from "../src/run/metrics.js";

const RUNS = [1, 2, 3].map((seed) => readMetrics(`runs/demo-seed-${seed}/metrics.jsonl`));
const COLOURS = ["#2563eb", "#db2777", "#059669"];
const [WIDTH, HEIGHT, LEFT, TOP, GAP] = [300, 190, 46, 34, 70];

interface Panel {
  title: string;
  metric: string;
  low: number;
  high: number;
}

const PANELS: readonly Panel[] = [
  { title: "reward (format + 2 · cosine, at most 3)", metric: "reward", low: 1, high: 3 },
  { title: "completion length (tokens)", metric: "completions/mean_length", low: 15, high: 45 },
];

function draw({ title, metric, low, high }: Panel, index: number): string {
  const x0 = LEFT + index * (WIDTH + GAP);
  const steps = RUNS[0]?.length ?? 0;
  const x = (step: number) => x0 + (WIDTH * (step - 1)) / (steps - 1);
  const y = (value: number) => TOP + HEIGHT * (1 - (value - low) / (high - low));
  const ticks = [low, (low + high) / 2, high].map(
    (value) =>
      `<line x1="${x0}" x2="${x0 + WIDTH}" y1="${y(value)}" y2="${y(value)}" stroke="#e5e7eb"/>` +
      `<text x="${x0 - 6}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
  );
  const lines = RUNS.map((rows, run) => {
    const points = rows.map((row) => `${x(row.step).toFixed(1)},${y(Number(row[metric])).toFixed(1)}`);
    return `<polyline points="${points.join(" ")}" fill="none" stroke="${COLOURS[run]}" stroke-width="1.6"/>`;
  });
  const labels =
    `<text x="${x0}" y="${TOP - 14}" font-weight="600">${title}</text>` +
    `<text x="${x0}" y="${TOP + HEIGHT + 18}">step 1</text>` +
    `<text x="${x0 + WIDTH}" y="${TOP + HEIGHT + 18}" text-anchor="end">step ${steps}</text>`;
  return [...ticks, ...lines, labels].join("\n");
}

const total = LEFT + PANELS.length * (WIDTH + GAP);
const legend = COLOURS.map(
  (colour, i) => `<text x="${total - 200 + i * 60}" y="${TOP + HEIGHT + 40}" fill="${colour}">seed ${i + 1}</text>`,
);
writeFileSync(
  "docs/demo.svg",
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total} ${TOP + HEIGHT + 52}" font-family="system-ui, sans-serif" font-size="12" fill="#374151">
<title>Reward and completion length over the steps of three runs of the demo</title>
<rect width="100%" height="100%" fill="#ffffff"/>
${[...PANELS.map(draw), ...legend].join("\n")}
</svg>
`,
);
