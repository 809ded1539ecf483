import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseConfig, randomModel, saveModel } from "../../src/model/index.js";
import { manualSeed } from "../../src/torch/index.js";

const TOKENIZER = fileURLToPath(new URL("../../src/demo/tokenizer", import.meta.url));

/** A folder that is removed when the test process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), "open-rs-test-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A random Qwen2 of 13,000 parameters with the demo's tokenizer, in Hugging Face layout. */
export function tinyCheckpoint(folder: string, changes: Record<string, unknown> = {}): string {
  const config = parseConfig({
    architectures: ["Qwen2ForCausalLM"],
    model_type: "qwen2",
    vocab_size: 384,
    hidden_size: 16,
    intermediate_size: 32,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    max_position_embeddings: 64,
    rms_norm_eps: 1e-6,
    rope_theta: 10000,
    tie_word_embeddings: true,
    eos_token_id: 1,
    torch_dtype: "float32",
    ...changes,
  });
  manualSeed(0);
  const model = randomModel(config, { std: 0.3 });
  const dir = path.join(folder, "model");
  mkdirSync(dir, { recursive: true });
  saveModel(model, dir, { companionsFrom: TOKENIZER });
  model.dispose();
  return dir;
}

/** Problems with answers, one JSON object a line. */
export function tinyDataset(folder: string, rows = 12): string {
  const file = path.join(folder, "train.jsonl");
  const lines = Array.from({ length: rows }, (_, i) => ({
    problem: `What is ${i}+${i + 1}?`,
    answer: String(2 * i + 1),
  }));
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return file;
}

/** The overrides of a run of a second or two: 2 prompts × 4 completions of 10 tokens a step, the reward a user's file. */
export function tinyRecipe(folder: string, output: string, more: readonly string[] = []): string[] {
  const reward = path.join(folder, "reward.mjs");
  // Any signal that differs between completions will do.
  writeFileSync(reward, "export const vowels = ({ completion }) => (completion.match(/[0-4]/g) ?? []).length / 10;\n");
  return [
    ...["--model_name_or_path", path.join(folder, "model"), "--dataset_name", path.join(folder, "train.jsonl")],
    ...["--output_dir", output, "--reward_funcs", reward, "--max_steps", "6", "--save_steps", "2"],
    ...["--per_device_train_batch_size", "8", "--num_generations", "4", "--max_completion_length", "10"],
    ...["--learning_rate", "0.01", "--lr_scheduler_type", "cosine", "--warmup_steps", "2", "--threads", "1", ...more],
  ];
}
