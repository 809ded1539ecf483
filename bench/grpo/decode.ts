/**
 * Sampling alone: `npx tsx bench/grpo/decode.ts CHECKPOINT [--rows 64] [--max-new 96] [--dtype float32] [--threads 1] [--rounds 5]
 * [--natural] [--profile]`. Prints the best round's tokens per second and all rounds' tokens per second of processor time; --natural lets completions end by themselves.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { Engine } from "../../src/engine/index.js";
import { loadModel } from "../../src/model/index.js";
import { loadTokenizer } from "../../src/text/index.js";
import { type DType, setNumThreads } from "../../src/torch/index.js";
import { formatProfile, startProfile } from "../../src/training/profile.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: "string", default: "64" },
    group: { type: "string", default: "8" },
    "max-new": { type: "string", default: "96" },
    dtype: { type: "string", default: "float32" },
    threads: { type: "string", default: "1" },
    rounds: { type: "string", default: "5" },
    natural: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
  },
});

const checkpoint = positionals[0] ?? "";
setNumThreads(Number(values.threads));
const profile = values.profile ? startProfile() : null;
const tokenizer = loadTokenizer(checkpoint);
const model = loadModel(checkpoint, { dtype: values.dtype as DType, copy: true });
const engine = new Engine(model, tokenizer);
const group = Number(values.group);
const maxTokens = Number(values["max-new"]);
const prompts = readFileSync(path.join(checkpoint, "prompts.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => tokenizer.encode((JSON.parse(line) as { prompt: string }).prompt));

/** Other prompts every round: lengths differ as they do from step to step. */
function promptsOf(round: number): number[][] {
  const count = Number(values.rows) / group;
  return Array.from({ length: count }, (_, i) => prompts[(round * count + i) % prompts.length] ?? []);
}

const sampling = { n: group, maxTokens, minTokens: values.natural ? 0 : maxTokens, temperature: 0.7 };
await engine.generate(promptsOf(0), sampling);
let best = 0;
let tokens = 0;
const cpu = process.cpuUsage();
for (let round = 0; round < Number(values.rounds); round++) {
  const start = performance.now();
  const all = await engine.generate(promptsOf(round + 1), { ...sampling, seed: round });
  const drawn = all.flat().reduce((sum, { ids }) => sum + ids.length, 0);
  tokens += drawn;
  best = Math.max(best, (1000 * drawn) / (performance.now() - start));
}
const { user, system } = process.cpuUsage(cpu);
// On a busy machine the processor's time says more than the clock's.
const cpuTokensPerSecond = Math.round((1e6 * tokens) / (user + system));
if (profile) console.error(formatProfile(profile()));
console.log(
  JSON.stringify({ dtype: values.dtype, tokens, tokens_per_s: Math.round(best), tokens_per_cpu_s: cpuTokensPerSecond }),
);
