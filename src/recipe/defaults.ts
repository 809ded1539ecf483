/** Defaults that differed in the TRL that open-rs pinned (69ad852, 25 February 2025) and in its own rewards (2889c47). */
import type { GrpoRecipe } from "./schema.js";

/** Only the TRL of that time (before 0.16) took this key: a file that has it was written for it. */
export const KEY_OF_THAT_TIME = "vllm_device";

/**
 * Read in TRL's grpo_config.py and grpo_trainer.py at that commit. top_k stays off: open-rs sampled with vLLM, whose
 * default that is. Launching on three processes was no part of a recipe; recipes/open-rs*.yaml say so.
 */
export const OPEN_RS_DEFAULTS = {
  temperature: 0.9,
  max_completion_length: 256,
  beta: 0.04,
  loss_type: "bnpo",
  logprob_temperature: 1,
  use_bias_correction_kl: false,
  on_long_prompt: "cut",
  gold_unparseable: "score_1",
  cosine_length_unit: "characters",
  cosine_clamp: false,
  length_unit: "characters",
  length_over: "batch",
} satisfies Partial<GrpoRecipe>;
