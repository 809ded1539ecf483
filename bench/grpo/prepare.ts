/** The checkpoint folders both sides load: weights, tokenizer and prompts.jsonl (prompt, answer). */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { DEMO_BASE } from "../../src/demo/demo.js";
import { generateProblems } from "../../src/demo/problems.js";
import { loadTokenizer } from "../../src/text/index.js";

/** A random Qwen2 of 4 layers, by the peer's own script. */
export function randomCheckpoint(folder: string, hidden: number, python: string): string {
  if (existsSync(path.join(folder, "prompts.jsonl"))) return folder;
  const script = fileURLToPath(new URL("peer/make_checkpoint.py", import.meta.url));
  execFileSync(python, [script, folder, "--hidden", String(hidden)], {
    stdio: "ignore",
  });
  return folder;
}

/** The demo's model, which our SFT warmed up, with arithmetic problems as plain text: both sides tokenize the same. */
export function warmCheckpoint(folder: string): string {
  if (existsSync(path.join(folder, "prompts.jsonl"))) return folder;
  cpSync(DEMO_BASE, folder, { recursive: true });
  const tokenizer = loadTokenizer(folder);
  const rows = generateProblems({ split: "train", seed: 7, count: 512 }).map(({ problem, solution }) => ({
    prompt: tokenizer.applyChatTemplate([{ role: "user", content: problem }], { addGenerationPrompt: true }),
    answer: solution,
  }));
  writeFileSync(path.join(folder, "prompts.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return folder;
}
