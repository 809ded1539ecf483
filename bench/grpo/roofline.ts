/**
 * How near a step of workload (a) is to its matrix products alone:
 *
 *     npx tsx bench/grpo/roofline.ts CHECKPOINT [--threads 2] [--steps 6] [--max-new 96] [--dtype float32]
 *
 * The linear layers of a step, forward and backward over its packed tokens and once for each decode step, are timed at their shapes with
 * libtorch's own products on this machine; printed are their time, their GFLOPS, and the time of a whole step of ours over theirs.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cpuCapability, type DType, ops, scope, setNumThreads } from "../../src/torch/index.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: "string", default: "2" },
    steps: { type: "string", default: "6" },
    "max-new": { type: "string", default: "96" },
    dtype: { type: "string", default: "float32" },
  },
});

const COMPLETIONS = 64;
/** Tokens of a training pass (src/passes). */
const PASS = 1600;
const ROUNDS = 7;

const checkpoint = path.resolve(positionals[0] ?? "");
setNumThreads(Number(values.threads));

interface Config {
  hidden_size: number;
  intermediate_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  num_key_value_heads: number;
  vocab_size: number;
}

/** Each linear layer's inputs and outputs, and how many there are. */
function layersOf(c: Config): { ins: number; outs: number; count: number }[] {
  const kv = (c.hidden_size / c.num_attention_heads) * c.num_key_value_heads;
  const [D, I, count] = [c.hidden_size, c.intermediate_size, c.num_hidden_layers];
  return [
    { ins: D, outs: D + 2 * kv, count },
    { ins: D, outs: D, count },
    { ins: D, outs: 2 * I, count },
    { ins: I, outs: D, count },
    { ins: D, outs: c.vocab_size, count: 1 },
  ];
}

/** Seconds of the quickest of some rounds. */
function quickest(work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let n = 0; n < 5; n++) scope(work);
    best = Math.min(best, (performance.now() - start) / 5000);
  }
  return best;
}

/** Of `rows` tokens through a layer, and back to its inputs and weights if `learning`. */
function secondsOf(rows: number, ins: number, outs: number, learning: boolean): number {
  const dtype = values.dtype as DType;
  return scope(() => {
    const [x, w, g] = [ops.randn([rows, ins]), ops.randn([outs, ins]), ops.randn([rows, outs])].map((t) => t.to(dtype));
    return quickest(() => {
      ops.linear(x!, w!);
      if (!learning) return;
      ops.mm(g!, w!);
      ops.mm(g!.transpose(0, 1), x!);
    });
  });
}

const config = JSON.parse(readFileSync(path.join(checkpoint, "config.json"), "utf8")) as Config;
const maxNew = Number(values["max-new"]);
const tokens = COMPLETIONS * maxNew;
let [learning, sampling, flops] = [0, 0, 0];
for (const { ins, outs, count } of layersOf(config)) {
  learning += (count * secondsOf(PASS, ins, outs, true) * tokens) / PASS;
  sampling += count * secondsOf(COMPLETIONS, ins, outs, false) * maxNew;
  flops += 8 * count * ins * outs * tokens;
}

const ours = fileURLToPath(new URL("ours.ts", import.meta.url));
const options = ["--fixed-length", "--max-new", values["max-new"], "--steps", values.steps, "--dtype", values.dtype];
const args = ["--import", "tsx", ours, checkpoint, ...options, "--threads", values.threads];
const line = execFileSync(process.execPath, args, { encoding: "utf8" }).trim().split("\n").at(-1);
const { median_step_s: step } = JSON.parse(line ?? "") as { median_step_s: number };
const products = learning + sampling;
console.log(
  JSON.stringify({
    capability: cpuCapability(),
    dtype: values.dtype,
    products_s: Number(products.toFixed(3)),
    learning_s: Number(learning.toFixed(3)),
    sampling_s: Number(sampling.toFixed(3)),
    gflops: Math.round(flops / products / 1e9),
    step_s: step,
    step_over_products: Number((step / products).toFixed(2)),
  }),
);
