/** Recipe keys on the command line. */
import { describe, expect, test } from "vitest";
import { loadGrpoRecipe } from "../../src/recipe/index.js";

const MODEL = ["--model_name_or_path", "m", "--dataset_name", "d"];

describe("words of the command line", () => {
  test.each<[string[], object]>([
    [["--max_steps", "2"], { max_steps: 2 }],
    [["--max-steps=2"], { max_steps: 2 }],
    [["--max_steps", "-1"], { max_steps: -1 }],
    [["--log_completions"], { log_completions: true }],
    [["--log_completions", "false"], { log_completions: false }],
    [["--model_revision", "123"], { model_revision: "123" }],
    [["--dataset_config", "null"], { dataset_config: null }],
    [["--stop_strings", "null"], { stop_strings: ["null"] }],
    [["--reward_funcs", "accuracy", "format"], { reward_funcs: ["accuracy", "format"] }],
    [["--reward_funcs", "accuracy", "--reward_weights", "0.5"], { reward_funcs: ["accuracy"], reward_weights: [0.5] }],
    [["--reward_weights", "[1, 2, 3]"], { reward_weights: [1, 2, 3] }],
    [
      ["--lr_scheduler_type", "cosine_with_min_lr", "--lr_scheduler_kwargs.min_lr_rate", "0.1"],
      { lr_scheduler_kwargs: { min_lr_rate: 0.1 } },
    ],
    [
      ["--lr_scheduler_type=cosine", "--lr_scheduler_kwargs", '{"num_cycles": 2}'],
      { lr_scheduler_kwargs: { num_cycles: 2 } },
    ],
    [
      ["--column_mapping.problem", "question", "--column_mapping.solution=gold"],
      { column_mapping: { problem: "question", solution: "gold" } },
    ],
    [["--system_prompt", "Think: then answer."], { system_prompt: "Think: then answer." }],
    [["--system_prompt", "a=b"], { system_prompt: "a=b" }],
    [["--system_prompt=a=b"], { system_prompt: "a=b" }],
    [["--seed", "1", "--seed", "2"], { seed: 2 }],
    [["--torch_dtype", "float32"], { dtype: "float32" }],
  ])("%j", (words, expected) => {
    expect(loadGrpoRecipe(undefined, [...MODEL, ...words]).recipe).toMatchObject(expected);
  });

  test.each<[string[], string | RegExp]>([
    [["--lerning_rate", "3"], "--lerning_rate: unknown key (did you mean learning_rate?)"],
    [["--reward_weights", "1", "high"], '--reward_weights.1 must be a number, not "high"'],
    [["--fp16", "true"], "--fp16 true is not supported: remove it or write false"],
    [
      ["--reward_funcs", "acuracy"],
      /^--reward_funcs: no reward is named acuracy \(did you mean accuracy\?\): there are accuracy, /,
    ],
    [["--beta", "much"], '--beta must be a number ≥ 0 and ≤ 1000, not "much"'],
    [
      ["--lr_scheduler_kwargs.min_rate", "1"],
      "--lr_scheduler_kwargs has no min_rate (did you mean min_lr_rate?); it takes min_lr, min_lr_rate, num_cycles, warmup_lr_rate, lr_end, power, timescale, num_decay_steps, num_stable_steps, warmup_type, decay_type, min_lr_ratio, mode, factor, patience, threshold, threshold_mode, cooldown, warmup, max_lr, eps, smooth, window_size, reset_start",
    ],
  ])("%j is refused", (words, message) => {
    expect(() => loadGrpoRecipe(undefined, [...MODEL, ...words])).toThrow(message);
  });

  test("a word before any key", () => {
    expect(() => loadGrpoRecipe(undefined, ["2", ...MODEL])).toThrow(
      "unexpected argument 2: recipe keys are given as --key value",
    );
  });
});
