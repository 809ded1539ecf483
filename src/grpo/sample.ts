import type { GrpoRecipe } from "../recipe/index.js";
import type { Group } from "./rollout.js";

/** One completion as the loss sees it: plain numbers, so that a checkpoint can hold those not yet learnt from. */
export interface Sample {
  promptIds: readonly number[];
  /** The completion's tokens, the end token included. */
  ids: readonly number[];
  /** Cut at max_completion_length (or by a stop string's absence) instead of ended by itself. */
  truncated: boolean;
  /** Â, the same for all its tokens. */
  advantage: number;
  /** log π of each token as the sampler saw it. */
  samplerLogps: readonly number[];
  /** log π_old where the weights move between sampling and learning; null: this update is the first one (π_old = π). */
  oldLogps: readonly number[] | null;
  /** log π_ref; null without KL term. */
  refLogps: readonly number[] | null;
}

/** `atTemperature1`: whether the loss scores tokens at temperature 1 (open-rs) rather than at that of sampling (TRL). */
export function toSamples(groups: readonly Group[], advantages: readonly number[], atTemperature1: boolean): Sample[] {
  return groups
    .flatMap(({ prompt, completions }) => completions.map((completion) => ({ prompt, completion })))
    .map(({ prompt, completion }, i) => ({
      promptIds: prompt.ids,
      ids: completion.ids,
      truncated: completion.stopReason === "length",
      advantage: advantages[i]!,
      samplerLogps: atTemperature1 ? completion.logprobs : completion.samplingLogprobs,
      oldLogps: null,
      refLogps: null,
    }));
}

/** The temperature of the loss's log-probabilities: sampling's (TRL), or 1 (open-rs). */
export const logpTemperature = (recipe: GrpoRecipe): number => recipe.logprob_temperature ?? (recipe.temperature || 1);
