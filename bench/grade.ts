/**
 * Times the grader: `npx tsx bench/grade.ts [triples.jsonl] [external.jsonl]`.
 * Prints mean, p50, p99 and maximum per triple (in the first pass, and each triple's best of three after it), the time
 * the main thread ran in the first pass, which other programs do not lengthen, and the time of each pathological input
 * (first call and best of five), and of the slowest of the generated ones.
 */
import { existsSync, readFileSync } from "node:fs";
import { explain, type PresetName } from "../src/math/index.js";
import { nasty } from "./nasty.js";
import { pathological } from "./pathological.js";

interface Row {
  gold: string;
  prediction: string;
  preset: PresetName;
}

/** How many of the generated inputs are printed. */
const shown = 15;

const best = (runs: number, work: () => void): number => {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    work();
    least = Math.min(least, performance.now() - start);
  }
  return least;
};

function readTriples(file: string): Row[] {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => {
    const row = JSON.parse(line) as Partial<Row> & { gold: string; prediction: string; config?: unknown };
    return { preset: row.config ? "evaluation" : "reward", ...row };
  });
}

function timeTriples(file: string): void {
  const rows = readTriples(file);
  const pass = (runs: number) => rows.map((row) => best(runs, () => explain(row.gold, row.prediction, row.preset)));
  console.log(`\n${rows.length} rows of ${file}, ms`);
  // The first pass includes the warm-up of the engine (compilation of our code as it gets hot), about one second in all.
  const before = mainThread();
  console.log(`first pass, cold:    ${summary(pass(1))}`);
  const after = mainThread();
  if (before !== undefined && after !== undefined)
    console.log(`  main thread alone: mean ${((after - before) / rows.length).toFixed(3)}`);
  console.log(`best of three, warm: ${summary(pass(3))}`);
}

/** Milliseconds the main thread has run, other programs and the compiler's threads left out; undefined outside Linux. */
function mainThread(): number | undefined {
  const file = `/proc/self/task/${process.pid}/schedstat`;
  return existsSync(file) ? Number(readFileSync(file, "utf8").split(" ")[0]) / 1e6 : undefined;
}

function summary(times: number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): string =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!.toFixed(3);
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  return `mean ${mean.toFixed(3)}  p50 ${at(0.5)}  p99 ${at(0.99)}  max ${at(1)}`;
}

function timePathological(): void {
  console.log("\n| input | first ms | best ms | verdict | rule |\n|---|---|---|---|---|");
  let slowest = 0;
  for (const { name, gold, prediction } of pathological) {
    const judge = () => explain(gold, prediction, "evaluation");
    const first = best(1, judge);
    const { verdict, rule } = judge();
    const time = best(4, judge);
    slowest = Math.max(slowest, time);
    console.log(`| ${name} | ${first.toFixed(2)} | ${time.toFixed(2)} | ${verdict} | ${rule} |`);
  }
  console.log(`\n${pathological.length} pathological inputs, slowest ${slowest.toFixed(2)} ms`);
}

function timeNasty(): void {
  const timed = nasty.map(({ name, gold, prediction, preset }) => {
    const judge = () => explain(gold, prediction, preset);
    const first = best(1, judge);
    return { name, first, time: Math.min(first, first < 1 ? first : best(3, judge)), ...judge() };
  });
  timed.sort((a, b) => b.time - a.time);
  console.log(`\nthe slowest ${shown} of ${timed.length} generated inputs`);
  console.log("\n| input | first ms | best ms | steps | verdict | rule |\n|---|---|---|---|---|---|");
  for (const { name, first, time, steps, verdict, rule } of timed.slice(0, shown))
    console.log(`| \`${name}\` | ${first.toFixed(2)} | ${time.toFixed(2)} | ${steps} | ${verdict} | ${rule} |`);
}

const files = process.argv.slice(2);
if (files.length === 0) files.push("../shared/data/grader/triples.jsonl", "../shared/data/grader/external.jsonl");
for (const file of files) {
  if (existsSync(file)) timeTriples(file);
  else console.log(`no ${file}: left out`);
}
timePathological();
timeNasty();
