/**
 * The true shape of DeepSeek-R1-Distill-Qwen-1.5B (1.78B parameters, bfloat16, random weights) on this machine:
 *
 *     npx tsx bench/true-shape.ts [--tokenizer DIR] [--steps 2] [--tokens 128] [--lora]
 *
 * makes the checkpoint once (3.6 GB in runs/true-shape), then, each in a process of its own: loads it, generates, and takes GRPO steps on 2
 * completions: all weights with 8-bit moments and stochastic rounding, or LoRA on all linear maps. Prints one JSON line per part.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Engine } from "../src/engine/index.js";
import { runGrpo } from "../src/grpo/run.js";
import { loadModel, saveModel } from "../src/model/index.js";
import { resolveGrpoRecipe } from "../src/recipe/index.js";
import { inCodeSpec, type UserReward } from "../src/rewards/index.js";
import { readMetrics } from "../src/run/metrics.js";
import { loadTokenizer } from "../src/text/index.js";
import { manualSeed } from "../src/torch/index.js";
import { QWEN_1_5B, randomOn } from "./gpu/shape.js";

const FOLDER = "runs/true-shape";
const { values } = parseArgs({
  options: {
    tokenizer: { type: "string", default: "src/demo/tokenizer" },
    steps: { type: "string", default: "2" },
    tokens: { type: "string", default: "128" },
    lora: { type: "boolean", default: false },
    part: { type: "string" },
  },
});

function makeCheckpoint(): void {
  if (existsSync(path.join(FOLDER, "model/config.json"))) return;
  manualSeed(0);
  const model = randomOn(QWEN_1_5B, "cpu", "bfloat16");
  saveModel(model, path.join(FOLDER, "model"), { companionsFrom: values.tokenizer });
  const rows = Array.from({ length: 8 }, (_, i) => ({ problem: `What is ${i}+${i + 1}?`, answer: String(2 * i + 1) }));
  writeFileSync(path.join(FOLDER, "train.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
}

const since = (start: number): number => Math.round(performance.now() - start) / 1000;

async function generate(): Promise<object> {
  const start = performance.now();
  const model = loadModel(path.join(FOLDER, "model"));
  const load_s = since(start);
  const tokenizer = loadTokenizer(path.join(FOLDER, "model"));
  const began = performance.now();
  const prompt = tokenizer.encode("What is 3+4?");
  const maxTokens = 32;
  await new Engine(model, tokenizer).generate([prompt], { n: 2, maxTokens, minTokens: maxTokens, seed: 1 });
  return { load_s, generated_tokens_per_s: Math.round((2 * maxTokens * 10) / since(began)) / 10 };
}

/** Differs between completions, so that both have an advantage and nothing of the step is skipped. */
const meanId: UserReward = ({ completionIds }) => completionIds.reduce((a, b) => a + b, 0) / completionIds.length / 1e5;

async function train(): Promise<object> {
  const output_dir = path.join(FOLDER, values.lora ? "lora" : "full");
  const { recipe } = resolveGrpoRecipe({
    model_name_or_path: path.join(FOLDER, "model"),
    dataset_name: path.join(FOLDER, "train.jsonl"),
    output_dir,
    overwrite_output_dir: true,
    resume_from_checkpoint: false,
    dtype: "bfloat16",
    reward_funcs: [inCodeSpec(meanId)],
    ...(values.lora
      ? { use_peft: true, lora_r: 16, lora_target_modules: "all-linear" }
      : { master_weights: false, optim: "adamw_8bit" }),
    num_generations: 2,
    per_device_train_batch_size: 2,
    max_completion_length: Number(values.tokens),
    min_completion_length: Number(values.tokens),
    max_steps: Number(values.steps),
    beta: 0,
    save_strategy: "no",
    scale_rewards: "none",
  });
  await runGrpo(recipe, console.error, { meanId });
  const rows = readMetrics(path.join(output_dir, "metrics.jsonl"));
  const round = (value: unknown) => Math.round(Number(value) * 10) / 10;
  return {
    step_s: rows.map((row) => round(row.step_time)),
    sampling_s: rows.map((row) => round(row["time/sampling"])),
    grad_norm: rows.map((row) => row.grad_norm),
  };
}

if (values.part === undefined) {
  mkdirSync(FOLDER, { recursive: true });
  const child = (part: string) => {
    const args = ["--import", "tsx", fileURLToPath(import.meta.url), ...process.argv.slice(2), "--part", part];
    process.stdout.write(execFileSync(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] }));
  };
  for (const part of ["make", "generate", "train"]) child(part);
} else {
  const result = values.part === "make" ? makeCheckpoint() : await (values.part === "generate" ? generate() : train());
  const peak = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1e6;
  const part = values.part === "train" && values.lora ? "train, LoRA" : values.part;
  console.log(JSON.stringify({ part, ...result, peak_gb: Math.round(peak * 102.4) / 100 }));
}
