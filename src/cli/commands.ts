import type { Command } from "commander";

/** What a command's file exports: adds the command, with its options and its action, to the program. */
export type Register = (program: Command) => Command;

export interface CommandEntry {
  name: string;
  summary: string;
  load(): Promise<{ default: Register }>;
}

/** Loaded only when called: `--help` and `tokenize` need no libtorch. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "demo",
    summary: "train a small model by GRPO here, in minutes: what it is about",
    load: () => import("./demo.js"),
  },
  { name: "train", summary: "train a model with GRPO, as a recipe says", load: () => import("./train.js") },
  { name: "sft", summary: "fine-tune a model on worked examples", load: () => import("./sft.js") },
  { name: "generate", summary: "complete prompts with a model", load: () => import("./generate.js") },
  { name: "score", summary: "log-probabilities of given tokens", load: () => import("./score.js") },
  { name: "tokenize", summary: "text to token ids and back", load: () => import("./tokenize.js") },
  { name: "grade", summary: "judge answers against golds", load: () => import("./grade.js") },
  { name: "setup", summary: "find or install libtorch and build the native addon", load: () => import("./setup.js") },
  { name: "doctor", summary: "what open-rs runs on, and what is wrong", load: () => import("./doctor.js") },
];
