/**
 * Ours against TRL, in turn: `npm run bench:grpo -- [--workloads a256,a128,b,c] [--rounds 3] [--steps 6] [--threads 2]
 * [--ours float32,bfloat16] [--trl float32,bfloat16] [--work runs/bench-grpo]`. `ATEN_CPU_CAPABILITY=avx2` before it limits both
 * sides alike.
 *
 * (a) completions of fixed length 96, random models of hidden size 256 and 128; (b) natural lengths, the demo's warmed-up model, at
 * most 256 tokens; (c) the same with beta 0.04. Prints every run's JSON line, then per workload the medians over the rounds, each side
 * at the precision that is fastest for it, and the medians of the rounds' ratios with their range.
 * Needs a Python with torch, transformers, trl, datasets and accelerate: PYTHON, else python3.
 */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatTable } from "../../src/terminal/table.js";
import { pythonWith } from "../lib/python.js";
import { randomCheckpoint, warmCheckpoint } from "./prepare.js";

const { values } = parseArgs({
  options: {
    workloads: { type: "string", default: "a256,a128,b,c" },
    rounds: { type: "string", default: "3" },
    steps: { type: "string", default: "6" },
    threads: { type: "string", default: "2" },
    ours: { type: "string", default: "float32,bfloat16" },
    trl: { type: "string", default: "float32,bfloat16" },
    work: { type: "string", default: "runs/bench-grpo" },
  },
});

interface Result {
  tokens_per_s: number;
  median_step_s: number;
  mean_length: number;
  peak_rss_mb: number;
}

interface Side {
  system: "open-rs" | "trl";
  precision: string;
  results: Result[];
}

const python = pythonWith("torch", "transformers", "trl", "datasets", "accelerate");
const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const folder = (name: string) => path.resolve(values.work, name);

const natural = ["--max-new", "256"];
const WORKLOADS: Record<string, { checkpoint(): string; options: string[] }> = {
  a256: { checkpoint: () => randomCheckpoint(folder("h256"), 256, python), options: ["--fixed-length"] },
  a128: { checkpoint: () => randomCheckpoint(folder("h128"), 128, python), options: ["--fixed-length"] },
  b: { checkpoint: () => warmCheckpoint(folder("warm")), options: natural },
  c: { checkpoint: () => warmCheckpoint(folder("warm")), options: [...natural, "--beta", "0.04"] },
};

function commandOf({ system, precision }: Side, checkpoint: string): [program: string, args: string[]] {
  if (system === "open-rs")
    return [process.execPath, ["--import", "tsx", here("ours.ts"), checkpoint, "--dtype", precision]];
  return [python, [here("peer/trl_grpo.py"), checkpoint, "--precision", precision]];
}

function run(side: Side, checkpoint: string, options: readonly string[]): Result {
  const [program, args] = commandOf(side, checkpoint);
  const common = ["--steps", values.steps, "--threads", values.threads];
  const env = { ...process.env, OMP_NUM_THREADS: values.threads };
  const { stdout, stderr, status } = spawnSync(program, [...args, ...options, ...common], { encoding: "utf8", env });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}:\n${stderr.slice(-2000)}`);
  const line = stdout.trim().split("\n").at(-1) ?? "";
  console.log(`${side.precision.padEnd(9)} ${line}`);
  return JSON.parse(line) as Result;
}

/** Of an even number of values the mean of the middle two: two rounds must not become the better one. */
function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}
const medianOf = (side: Side, key: keyof Result) => median(side.results.map((result) => result[key]));
const fastest = (sides: readonly Side[], system: Side["system"]): Side =>
  sides
    .filter((side) => side.system === system)
    .reduce((a, b) => (medianOf(a, "tokens_per_s") >= medianOf(b, "tokens_per_s") ? a : b));

/** Runs all sides in turn, round after round; one table row a side, the ratios beside our fastest. */
function compare(name: string): string[][] {
  const workload = WORKLOADS[name];
  if (!workload) throw new Error(`no workload ${name}: there are ${Object.keys(WORKLOADS).join(", ")}`);
  const checkpoint = workload.checkpoint();
  const side =
    (system: Side["system"]) =>
    (precision: string): Side => ({ system, precision, results: [] });
  const sides = [...values.ours.split(",").map(side("open-rs")), ...values.trl.split(",").map(side("trl"))];
  for (let round = 1; round <= Number(values.rounds); round++) {
    console.log(`workload ${name}, round ${round} of ${values.rounds}`);
    for (const each of sides) each.results.push(run(each, checkpoint, workload.options));
  }
  const [ours, trl] = [fastest(sides, "open-rs"), fastest(sides, "trl")];
  const ratio = (key: keyof Result) => {
    const ratios = ours.results.map((result, i) => result[key] / (trl.results[i]?.[key] ?? Number.NaN));
    return `× ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`;
  };
  return sides.map((each) => [
    name,
    each.system,
    each.precision,
    medianOf(each, "tokens_per_s").toFixed(0),
    medianOf(each, "median_step_s").toFixed(3),
    medianOf(each, "mean_length").toFixed(1),
    medianOf(each, "peak_rss_mb").toFixed(0),
    each === ours ? ratio("tokens_per_s") : "",
    each === ours ? ratio("peak_rss_mb") : "",
  ]);
}

const rows = values.workloads.split(",").flatMap(compare);
const titles = ["workload", "system", "precision", "tokens/s", "step s", "length", "peak MB", "speed", "memory"];
console.log(formatTable(titles, rows));
