import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

/** A JSONL file of sums of several lengths: {"prompt": "3+14=", "completion": "17"}. */
export function additions(folder: string, name = "train.jsonl", rows = 24, from = 0): string {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, name);
  const lines = Array.from({ length: rows }, (_, i) => from + i).map((i) => {
    const [a, b] = [i, i * i * (i % 3)];
    return JSON.stringify({ prompt: `${a}+${b}=`, completion: `${a}+${b}=`.repeat(i % 4) + String(a + b) });
  });
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}

/** A run of a second: 24 rows, 8 a step, the model of tinyCheckpoint. */
export function sftKeys(folder: string, output: string, more: readonly string[] = []): string[] {
  return [
    ...["--model_name_or_path", path.join(folder, "model"), "--dataset_name", path.join(folder, "train.jsonl")],
    ...["--output_dir", output, "--max_steps", "6", "--save_steps", "2", "--learning_rate", "0.003", "--threads", "1"],
    ...["--lr_scheduler_type", "cosine", "--warmup_ratio", "0.2", "--weight_decay", "0.1"],
    ...more,
  ];
}
