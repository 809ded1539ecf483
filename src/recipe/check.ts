/** What must hold between keys. Each problem names the key to change; the loader adds where it stands. */
import { isInCodeSpec } from "../rewards/in-code.js";
import { REWARD_NAMES } from "../rewards/registry.js";
import { isUserRewardSpec } from "../rewards/user.js";
import { bestModelProblem } from "./check-best.js";
import { scheduleProblem } from "./check-schedule.js";
import { suggestion } from "./nearest.js";
import { rewardOptions } from "./rewards.js";
import type { GrpoRecipe, SftRecipe } from "./schema.js";
import { batchShape } from "./shape.js";

export interface Problem {
  key: string;
  message: string;
}

/** Whether the recipe alone says how many rewards there are: a file without #name gives one for every export. */
function countsRewards(specs: readonly string[]): boolean {
  return specs.every((spec) => !isUserRewardSpec(spec) || spec.includes("#"));
}

function rewardProblem(recipe: GrpoRecipe): Problem | undefined {
  const { reward_funcs: specs, reward_weights: weights } = recipe;
  const known = (spec: string) => REWARD_NAMES.includes(spec) || isUserRewardSpec(spec) || isInCodeSpec(spec);
  const unknown = specs.find((spec) => !known(spec));
  if (unknown !== undefined) {
    const hint = suggestion(unknown, REWARD_NAMES);
    const message = `no reward is named ${unknown}${hint}: there are ${REWARD_NAMES.join(", ")}, or name a .ts or .js file`;
    return { key: "reward_funcs", message };
  }
  const { max_completion_len, soft_punish_cache } = rewardOptions(recipe);
  if (specs.includes("soft_overlong_punishment") && soft_punish_cache > max_completion_len)
    return {
      key: "soft_punish_cache",
      message: `${soft_punish_cache} is more than max_completion_len ${max_completion_len}`,
    };
  if (weights === null || !countsRewards(specs) || weights.length === specs.length) return undefined;
  return {
    key: "reward_weights",
    message: `${weights.length} weights for ${specs.length} rewards (${specs.join(", ")})`,
  };
}

/** Sequences of one step or one sampling: beyond any run's, and what fits into a call's arguments and a heap. */
const MOST_SEQUENCES = 65_536;

function stepProblem(recipe: GrpoRecipe | SftRecipe): Problem | undefined {
  const { per_device_train_batch_size, gradient_accumulation_steps, num_processes } = recipe;
  const parts = { per_device_train_batch_size, gradient_accumulation_steps, num_processes };
  const sequences = per_device_train_batch_size * gradient_accumulation_steps * num_processes;
  if (sequences <= MOST_SEQUENCES) return undefined;
  const [key] = Object.entries(parts).sort((a, b) => b[1] - a[1])[0]!;
  const product = Object.entries(parts).map(([name, value]) => `${name} ${value}`);
  return { key, message: `one step takes ${sequences} sequences (${product.join(" · ")}), ${MOST_SEQUENCES} at most` };
}

function batchProblem(recipe: GrpoRecipe): Problem | undefined {
  if (recipe.generation_batch_size !== null && recipe.steps_per_generation !== null)
    return { key: "steps_per_generation", message: "give generation_batch_size or steps_per_generation, not both" };
  const microBatches = recipe.per_device_train_batch_size * recipe.num_processes;
  if (recipe.generation_batch_size !== null && recipe.generation_batch_size % microBatches !== 0) {
    const product = `per_device_train_batch_size ${recipe.per_device_train_batch_size} · num_processes ${recipe.num_processes}`;
    return { key: "generation_batch_size", message: `${recipe.generation_batch_size} is no multiple of ${product}` };
  }
  const { completionsPerGeneration } = batchShape(recipe);
  if (completionsPerGeneration > MOST_SEQUENCES) {
    const message = `one sampling takes ${completionsPerGeneration} completions, ${MOST_SEQUENCES} at most`;
    return {
      key: recipe.steps_per_generation === null ? "per_device_train_batch_size" : "steps_per_generation",
      message,
    };
  }
  if (completionsPerGeneration % recipe.num_generations === 0) return undefined;
  const parts = `per_device_train_batch_size ${recipe.per_device_train_batch_size} · num_processes ${recipe.num_processes} · micro-batches per sampling ${completionsPerGeneration / microBatches}`;
  return {
    key: "num_generations",
    message: `${completionsPerGeneration} completions (${parts}) do not make whole groups of num_generations ${recipe.num_generations}`,
  };
}

function clipProblem(recipe: GrpoRecipe): Problem | undefined {
  const { vllm_importance_sampling_clip_min: low, vllm_importance_sampling_clip_max: high } = recipe;
  const key = "vllm_importance_sampling_clip_min";
  if (low !== null && high !== null && low >= high) return { key, message: `${low} must be below clip_max ${high}` };
  const truncates =
    recipe.vllm_importance_sampling_correction && recipe.vllm_importance_sampling_mode.endsWith("truncate");
  if (truncates && low === null && high === null) return { key, message: "truncating needs a clip_max or a clip_min" };
  return undefined;
}

function temperatureProblem({ logprob_temperature: own, temperature }: GrpoRecipe): Problem | undefined {
  if (own === null || own === 1 || own === temperature) return undefined;
  return { key: "logprob_temperature", message: `${own} is neither 1 nor the sampling temperature ${temperature}` };
}

function precisionProblem({ dtype }: GrpoRecipe | SftRecipe): Problem | undefined {
  if (dtype !== "float16") return undefined;
  return {
    key: "dtype",
    message:
      "float16 needs loss scaling, which is not done here: small gradients would vanish. Choose bfloat16 or float32",
  };
}

function templateProblem(recipe: GrpoRecipe | SftRecipe): Problem | undefined {
  if (recipe.chat_template === null || recipe.chat_template_path === null) return undefined;
  return { key: "chat_template_path", message: "give chat_template or chat_template_path, not both" };
}

function lengthProblem(recipe: GrpoRecipe | SftRecipe): Problem | undefined {
  if (recipe.max_steps === 0)
    return { key: "max_steps", message: "0 steps train nothing: give 1 or more, or -1 for num_train_epochs" };
  return undefined;
}

function completionLengthProblem(recipe: GrpoRecipe): Problem | undefined {
  const { min_completion_length: least, max_completion_length: most } = recipe;
  if (least <= most) return undefined;
  return { key: "min_completion_length", message: `${least} is more than max_completion_length ${most}` };
}

function referenceProblem({ sync_ref_model, beta, use_peft }: GrpoRecipe): Problem | undefined {
  const key = "sync_ref_model";
  if (!sync_ref_model) return undefined;
  if (beta === 0) return { key, message: "there is no reference without a KL term: give a beta above 0" };
  if (use_peft) return { key, message: "the reference of adapters is the model below them, which stays: remove it" };
  return undefined;
}

export function findGrpoProblem(recipe: GrpoRecipe): Problem | undefined {
  const common = [scheduleProblem, bestModelProblem, precisionProblem, templateProblem, lengthProblem];
  const checks = [
    rewardProblem,
    referenceProblem,
    stepProblem,
    batchProblem,
    clipProblem,
    temperatureProblem,
    completionLengthProblem,
    ...common,
  ];
  return checks.map((check) => check(recipe)).find((problem) => problem !== undefined);
}

export function findSftProblem(recipe: SftRecipe): Problem | undefined {
  const packing: Problem = { key: "packing", message: "packing needs a max_length" };
  if (recipe.packing && recipe.max_length === null) return packing;
  return [stepProblem, scheduleProblem, bestModelProblem, precisionProblem, templateProblem, lengthProblem]
    .map((check) => check(recipe))
    .find((problem) => problem);
}
