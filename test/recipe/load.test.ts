/** What a recipe may say, and what its mistakes look like. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { UserError } from "../../src/errors.js";
import { GRPO, loadGrpoRecipe, loadSftRecipe, printRecipe, resolveGrpoRecipe } from "../../src/recipe/index.js";
import { recipeFile } from "../../src/recipe/source.js";

const folder = mkdtempSync(join(tmpdir(), "recipe-"));
const BASE = "model_name_or_path: m\ndataset_name: d\n";
const REQUIRED = { model_name_or_path: "m", dataset_name: "d" };

function write(content: string): string {
  const file = join(folder, "recipe.yaml");
  writeFileSync(file, content);
  return file;
}

function errorOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as Error).message.replaceAll(`${folder}/`, "");
  }
  throw new Error("nothing was refused");
}

describe("mistakes say where, what and the nearest right thing", () => {
  test.each([
    ["lerning_rate: 1\n", "recipe.yaml:3:1: unknown key lerning_rate (did you mean learning_rate?)"],
    ["vllm_devise: auto\n", "recipe.yaml:3:1: unknown key vllm_devise (did you mean vllm_device?)"],
    ["xqzw: 1\n", "recipe.yaml:3:1: unknown key xqzw"],
    ["max_steps: many\n", 'recipe.yaml:3:12: max_steps must be an integer ≥ -1 and ≤ 1e9, not "many"'],
    ["beta: -0.1\n", "recipe.yaml:3:7: beta must be a number ≥ 0 and ≤ 1000, not -0.1"],
    ["top_p: 1.5\n", "recipe.yaml:3:8: top_p must be a number > 0 and ≤ 1, not 1.5"],
    ["bf16: yes\n", 'recipe.yaml:3:7: bf16 must be true, false or null, not "yes"'],
    [
      "loss_type: gpro\n",
      'recipe.yaml:3:12: loss_type must be grpo, bnpo, dr_grpo, dapo, cispo or sapo, not "gpro" (did you mean grpo?)',
    ],
    [
      "max_completion_length:\n",
      "recipe.yaml:3:23: max_completion_length must be an integer ≥ 1 and ≤ 1048576, not null",
    ],
    ["reward_weights: [1, high]\n", 'recipe.yaml:3:21: reward_weights.1 must be a number, not "high"'],
    [
      "lr_scheduler_kwargs:\n  min_lr_rat: 0.1\n",
      "recipe.yaml:4:15: lr_scheduler_kwargs has no min_lr_rat (did you mean min_lr_rate?); it takes min_lr, min_lr_rate, num_cycles, warmup_lr_rate, lr_end, power, timescale, num_decay_steps, num_stable_steps, warmup_type, decay_type, min_lr_ratio, mode, factor, patience, threshold, threshold_mode, cooldown, warmup, max_lr, eps, smooth, window_size, reset_start",
    ],
    [
      "dtype: float32\ntorch_dtype: float16\n",
      "recipe.yaml:4:1: torch_dtype says again what FILE:3:1 says (dtype); keep one",
    ],
    ["seed: 1\nseed: 2\n", "recipe.yaml:4:1: Map keys must be unique"],
    [
      "stop_strings: [a\n",
      "recipe.yaml:4:1: Flow sequence in block collection must be sufficiently indented and end with a ]",
    ],
    [
      "optim: adafactor\n",
      /^recipe.yaml:3:8: optim must be adamw_torch_fused, adamw_torch, .*, adamw_8bit, .*, not "adafactor"$/,
    ],
    ["fp16: true\n", "recipe.yaml:3:7: fp16 true is not supported: remove it or write false"],
    [
      "reward_funcs: [acuracy]\n",
      /^recipe.yaml:3:15: reward_funcs: no reward is named acuracy \(did you mean accuracy\?\): there are accuracy, /,
    ],
    [
      "reward_funcs: [format]\nreward_weights: [1, 2]\n",
      "recipe.yaml:4:17: reward_weights: 2 weights for 1 rewards (format)",
    ],
    [
      "num_generations: 6\n",
      "recipe.yaml:3:18: num_generations: 8 completions (per_device_train_batch_size 8 · num_processes 1 · micro-batches per sampling 1) do not make whole groups of num_generations 6",
    ],
    [
      "generation_batch_size: 12\n",
      /^recipe.yaml:3:24: generation_batch_size: 12 is no multiple of per_device_train_batch_size 8 /,
    ],
    [
      "lr_scheduler_type: cosine_with_min_lr\n",
      "recipe.yaml: lr_scheduler_kwargs: cosine_with_min_lr takes either min_lr or min_lr_rate",
    ],
    [
      "lr_scheduler_kwargs: {min_lr: 0}\n",
      /linear takes no min_lr \(it takes none\): choose reduce_lr_on_plateau or cosine_with_min_lr or/,
    ],
    [
      "lr_scheduler_type: polynomial\nlr_scheduler_kwargs: {timescale: 5}\n",
      /polynomial takes no timescale \(it takes lr_end, power\)/,
    ],
    ["lr_scheduler_type: polynomial\nlearning_rate: 1.0e-7\n", /lr_end 1e-7 must be below learning_rate 1e-7/],
    ["lr_scheduler_type: warmup_stable_decay\n", /needs num_decay_steps/],
    ["lr_scheduler_type: greedy\n", /greedy follows the evaluations: set eval_strategy/],
    ["sync_ref_model: true\n", /no reference without a KL term: give a beta above 0/],
    ["sync_ref_model: true\nbeta: 0.1\nuse_peft: true\n", /the reference of adapters is the model below them/],
    ["reward_funcs: [get_soft_overlong_punishment]\n", /did you mean soft_overlong_punishment\?/],
    ["reward_funcs: [soft_overlong_punishment]\nsoft_punish_cache: 900\n", /900 is more than max_completion_len 512/],
    [
      "generation_kwargs: {top_k: 5, num_beams: 4}\n",
      /recipe.yaml:3:\d+: generation_kwargs has no num_beams; it takes temperature, top_p, .*stop_strings/,
    ],
    ["generation_kwargs: 5\n", /generation_kwargs is a map, not 5/],
    ["generation_kwargs: {top_p: 2}\n", /top_p must be a number/],
    ["top_k: 3\ngeneration_kwargs: {top_k: 5}\n", /generation_kwargs says again what .* says \(top_k\); keep one/],
    ["max_steps: 0\n", /0 steps train nothing/],
  ])("%j", (lines, expected) => {
    const message = errorOf(() => loadGrpoRecipe(write(BASE + lines)));
    if (expected instanceof RegExp) expect(message).toMatch(expected);
    else expect(message).toBe(expected.replace("FILE", "recipe.yaml"));
  });

  test.each([
    ["dataset_name: d\n", "recipe.yaml: model_name_or_path is missing: add to the recipe or pass --model_name_or_path"],
    [
      "seed: 1\n",
      "recipe.yaml: model_name_or_path and dataset_name are missing: add to the recipe or pass --model_name_or_path and --dataset_name",
    ],
    // What is wrong comes before what is missing: it was written.
    ["dataset_name: d\nseed: x\n", 'recipe.yaml:2:7: seed must be an integer ≥ 0, not "x" (and 1 more)'],
  ])("missing keys: %j", (content, message) => {
    expect(errorOf(() => loadGrpoRecipe(write(content)))).toBe(message);
  });

  test("missing keys without a file", () => {
    expect(errorOf(() => loadGrpoRecipe(undefined))).toBe(
      "--model_name_or_path and --dataset_name are missing: give a recipe file that says so, or pass them",
    );
  });

  test("a recipe that is no map, and one that is not there", () => {
    expect(errorOf(() => loadGrpoRecipe(write("- a\n")))).toBe("recipe.yaml:1:1: a recipe is a map of keys to values");
    expect(errorOf(() => loadGrpoRecipe(join(folder, "none.yaml")))).toBe(
      "no recipe none.yaml: give a YAML file, or one of ours by name (demo, demo-base, open-rs1, open-rs2, open-rs3)",
    );
    expect(errorOf(() => loadGrpoRecipe(`${folder}/`))).toMatch(/ cannot be read: it is a folder$/);
  });
});

describe("values", () => {
  test.each([
    ["scale_rewards: true", { scale_rewards: "group" }],
    ["scale_rewards: false", { scale_rewards: "none" }],
    ["save_strategy: no", { save_strategy: "no" }],
    ["save_strategy: false", { save_strategy: "no" }],
    ["torch_dtype: bfloat16", { dtype: "bfloat16" }],
    ["use_cpu: true", { device: "cpu" }],
    ["use_cpu: false", { device: "auto" }],
    ["importance_sampling_correction: true", { vllm_importance_sampling_correction: true }],
    ["vllm_importance_sampling_cap: 2.5", { vllm_importance_sampling_clip_max: 2.5 }],
    ["learning_rate: 1.0e-06", { learning_rate: 1e-6 }],
    ["learning_rate: 1e-6", { learning_rate: 1e-6 }],
    ["generation_kwargs: {}", {}],
    ["generation_kwargs: {min_new_tokens: 96}", { min_completion_length: 96 }],
    ["generation_kwargs: {stop_token_ids: [7, 9]}", { stop_token_ids: [7, 9] }],
    ["sync_ref_model: false", {}],
  ])("%s", (line, expected) => {
    expect(loadGrpoRecipe(write(`${BASE}${line}\n`)).recipe).toMatchObject(expected);
  });

  test("defaults that are TRL 1.13's (trl.GRPOConfig, trl.SFTConfig and transformers 5.18's TrainingArguments)", () => {
    const shared = {
      weight_decay: 0,
      adam_beta2: 0.999,
      max_grad_norm: 1,
      num_train_epochs: 3,
      lr_scheduler_type: "linear",
    };
    expect(resolveGrpoRecipe(REQUIRED).recipe).toMatchObject({
      ...shared,
      ...{ learning_rate: 1e-6, beta: 0, epsilon: 0.2, loss_type: "dapo", scale_rewards: "group", num_generations: 8 },
      ...{ temperature: 1, top_p: 1, top_k: 0, max_completion_length: 512, use_bias_correction_kl: true },
      ...{
        vllm_importance_sampling_mode: "sequence_mask",
        vllm_importance_sampling_clip_max: 3,
        save_steps: 500,
        seed: 42,
      },
    });
    const sft = loadSftRecipe(write(BASE)).recipe;
    expect(sft).toMatchObject({
      ...shared,
      learning_rate: 2e-5,
      max_length: 1024,
      packing: false,
      completion_only_loss: null,
    });
  });

  test("a key of the other command has no effect, and says so", () => {
    const { inert } = loadSftRecipe(write(`${BASE}num_generations: 4\n`));
    expect([...inert]).toEqual([["num_generations", "sft does not use it"]]);
  });

  test("relative reward files start from the recipe, those of the command line from the working folder", () => {
    const file = write(`${BASE}reward_funcs: [format, mine.ts#brevity]\n`);
    expect(loadGrpoRecipe(file).recipe.reward_funcs).toEqual(["format", join(folder, "mine.ts#brevity")]);
    const given = loadGrpoRecipe(file, ["--reward_funcs", "mine.ts"]).recipe.reward_funcs;
    expect(given).toEqual([join(process.cwd(), "mine.ts")]);
  });

  test("the printed recipe is the same recipe", () => {
    const first = loadGrpoRecipe(write(`${BASE}stop_strings: ["\\n\\n", "#"]\nuse_vllm: true\nbeta: 0.04\n`));
    const printed = printRecipe(first, GRPO);
    expect(loadGrpoRecipe(write(printed)).recipe).toEqual(first.recipe);
    expect(parse(printed)).toEqual(first.recipe);
    expect(printed).toContain("\nbeta: 0.04\n");
    expect(printed).toContain("\nepsilon: 0.2  # default\n");
    expect(printed).toContain("#   use_vllm: sampling runs in this process");
  });
});

test("keys that another key leaves without effect are listed with the reason, if the recipe gives them", () => {
  const lines =
    "max_steps: 5\nnum_train_epochs: 2\neval_steps: 3\nmetric_for_best_model: loss\n" +
    "reward_funcs: [cosine]\nlength_unit: tokens\ncosine_max_len: 9\n";
  expect([...loadGrpoRecipe(write(BASE + lines)).inert]).toEqual([
    ["num_train_epochs", "max_steps says when to stop"],
    ["eval_steps", "only with eval_strategy: steps"],
    ["metric_for_best_model", "only with load_best_model_at_end, or lr_scheduler_type: reduce_lr_on_plateau or greedy"],
    ["length_unit", "only with the reward length"],
  ]);
  const used = `${BASE}num_train_epochs: 2\neval_steps: 3\neval_strategy: steps\n`;
  const best = "load_best_model_at_end: true\nsave_steps: 6\ngreater_is_better: true\n";
  expect(loadGrpoRecipe(write(used)).inert.size).toBe(0);
  expect(loadGrpoRecipe(write(used + best)).inert.size).toBe(0);
});

describe("recipes of the package by name", () => {
  test.each(["open-rs3", "open-rs3.yaml", "recipes/open-rs3.yaml"])("%s, from anywhere", (name) => {
    const before = process.cwd();
    process.chdir(folder);
    try {
      expect(loadGrpoRecipe(name).recipe.reward_weights).toEqual([1, 2]);
    } finally {
      process.chdir(before);
    }
  });

  test("a file of that name wins", () => {
    const file = join(folder, "open-rs3.yaml");
    writeFileSync(file, "{}");
    expect(recipeFile(file)).toBe(file);
  });
});

test("generation_kwargs: names of transformers and of vLLM become the recipe's own keys", () => {
  const kwargs = "{top_k: 5, min_p: 0.1, max_new_tokens: 33, min_tokens: 2, stop: END, repetition_penalty: 1.2}";
  const { recipe } = loadGrpoRecipe(write(`${BASE}generation_kwargs: ${kwargs}\n`));
  expect(recipe).toMatchObject({ top_k: 5, min_p: 0.1, max_completion_length: 33, min_completion_length: 2 });
  expect(recipe).toMatchObject({ stop_strings: ["END"], repetition_penalty: 1.2 });
});
