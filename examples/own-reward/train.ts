/**
 * A task of your own with a reward of your own: `npx tsx examples/own-reward/train.ts`, half a minute on two cores.
 * The model is the demo's warmed-up one; yours is a folder in Hugging Face layout, or a name on the Hub.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { train, type UserReward } from "open-rs";

// 1. Problems with a checkable answer, one JSON object a line. Columns beside `problem` are yours.
const rows = Array.from({ length: 640 }, (_, i) => {
  const [a, b, c, d] = [20 + ((i * 7) % 25), 1 + ((i * 5) % 19), 1 + ((i * 3) % 19), 1 + ((i * 11) % 15)];
  return { problem: `What is ${a}+${b}-${c}+${d}+${b}?`, total: a + b - c + d + b };
});
mkdirSync("runs", { recursive: true });
writeFileSync("runs/own-reward.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));

// 2. A reward: it gets the completion and every column of the row. Here, the last number must be the total.
const exact: UserReward = ({ completion, total }) => (Number(completion.match(/\d+/g)?.at(-1)) === total ? 1 : 0);

// 3. Train. Keys as in docs/recipe.md; stopped with Ctrl-C, the same program goes on where it was.
const { model } = await train({
  model_name_or_path: "open-rs/demo",
  dataset_name: "runs/own-reward.jsonl",
  reward_funcs: [exact],
  num_generations: 8,
  per_device_train_batch_size: 256,
  max_completion_length: 96,
  temperature: 0.7,
  learning_rate: 2e-4,
  max_steps: 20,
  beta: 0,
  dtype: "float32",
  output_dir: "runs/own-reward",
});
console.log(`npx open-rs generate --model ${model} --prompt "What is 31+12-5+7+12?"`);
