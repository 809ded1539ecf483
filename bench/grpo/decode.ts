/**
 * Sampling alone: `npx tsx bench/grpo/decode.ts CHECKPOINT [--rows 64] [--max-new 96] [--dtype float32] [--threads 1] [--rounds 5]
 * [--natural] [--profile]`. Prints the best round's tokens per second; --natural lets completions end by themselves.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { Engine } from "../../src/engine/index.js";
import { loadModel } from "../../src/model/index.js";
import { loadTokenizer } from "../../src/text/index.js";
import { type DType, setNumThreads } from "../../src/torch/index.js";
import { formatProfile, startProfile } from "../../src/train/profile.js";

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
  .slice(0, Number(values.rows) / group)
  .map((line) => tokenizer.encode((JSON.parse(line) as { prompt: string }).prompt));

const sampling = { n: group, maxTokens, minTokens: values.natural ? 0 : maxTokens, temperature: 0.7, seed: 1 };
await engine.generate(prompts, sampling);
let best = 0;
let tokens = 0;
for (let round = 0; round < Number(values.rounds); round++) {
  const start = performance.now();
  const all = await engine.generate(prompts, sampling);
  tokens = all.flat().reduce((sum, { ids }) => sum + ids.length, 0);
  best = Math.max(best, (1000 * tokens) / (performance.now() - start));
}
if (profile) console.error(formatProfile(profile()));
console.log(JSON.stringify({ dtype: values.dtype, tokens, tokens_per_s: Math.round(best) }));
