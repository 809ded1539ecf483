/**
 * Our side of the comparison with TRL: real training (`runGrpo`) on a checkpoint folder, seconds per optimizer step.
 *
 *     npx tsx bench/grpo/ours.ts CHECKPOINT [--prompts 8] [--group 8] [--max-new 96] [--steps 8] [--fixed-length]
 *                                [--beta 0] [--dtype float32] [--threads 2] [--profile]
 *
 * Prints one JSON line, that of peer/trl_grpo.py; --profile also where the time went, per phase and operator, to stderr.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { runGrpo } from "../../src/grpo/run.js";
import { resolveGrpoRecipe } from "../../src/recipe/index.js";
import { formatProfile, startProfile } from "../../src/training/profile.js";
import { reward } from "./rewards.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    prompts: { type: "string", default: "8" },
    group: { type: "string", default: "8" },
    "max-new": { type: "string", default: "96" },
    steps: { type: "string", default: "8" },
    "fixed-length": { type: "boolean", default: false },
    beta: { type: "string", default: "0" },
    dtype: { type: "string", default: "float32" },
    threads: { type: "string", default: "2" },
    profile: { type: "boolean", default: false },
  },
});

const checkpoint = path.resolve(positionals[0] ?? "");
const maxNew = Number(values["max-new"]);
const output = mkdtempSync(path.join(tmpdir(), "open-rs-bench-"));

const { recipe } = resolveGrpoRecipe({
  model_name_or_path: checkpoint,
  dataset_name: path.join(checkpoint, "prompts.jsonl"),
  reward_funcs: ["fn:reward"],
  per_device_train_batch_size: Number(values.prompts) * Number(values.group),
  num_generations: Number(values.group),
  max_completion_length: maxNew,
  min_completion_length: values["fixed-length"] ? maxNew : 0,
  max_steps: Number(values.steps),
  beta: Number(values.beta),
  learning_rate: 1e-6,
  temperature: 0.7,
  dtype: values.dtype,
  threads: Number(values.threads),
  output_dir: output,
  save_strategy: "no",
  logging_steps: 1,
});

interface Row {
  step_time: number;
  "time/sampling": number;
  "completions/mean_length": number;
}

try {
  const profile = values.profile ? startProfile() : null;
  // In this process, as the peer has it.
  await runGrpo(recipe, () => {}, { reward });
  if (profile) console.error(formatProfile(profile()));
  const lines = readFileSync(path.join(output, "metrics.jsonl"), "utf8").trim().split("\n");
  // The first step warms up.
  const rows = lines.map((line) => JSON.parse(line) as Row).slice(1);
  console.log(JSON.stringify(summary(rows)));
} finally {
  rmSync(output, { recursive: true, force: true });
}

function summary(rows: readonly Row[]) {
  const sum = (key: keyof Row) => rows.reduce((total, row) => total + row[key], 0);
  const completions = recipe.per_device_train_batch_size;
  const round = (x: number, digits: number) => Number(x.toFixed(digits));
  const times = rows.map((row) => row.step_time).sort((a, b) => a - b);
  return {
    system: "open-rs",
    median_step_s: round(times[Math.floor(times.length / 2)] ?? Number.NaN, 4),
    tokens_per_s: round((sum("completions/mean_length") * completions) / sum("step_time"), 1),
    mean_length: round(sum("completions/mean_length") / rows.length, 2),
    steps: rows.length,
    peak_rss_mb: Math.floor(process.resourceUsage().maxRSS / 1024),
    sampling_share: round(sum("time/sampling") / sum("step_time"), 3),
  };
}
