/**
 * Importance-sampling correction between sampler and trainer: each token's loss times π_old(token) / π_sampler(token), per token or per
 * completion (the product over its tokens), cut to its bounds (`truncate`) or dropped outside of them (`mask`). TRL's vllm_importance_sampling_*.
 */
import { ops, type Tensor } from "../../torch/index.js";
import { perSequence, spread, type TokenIndex } from "./ratio.js";
import type { CorrectionOptions } from "./types.js";

export const isPerSequence = (options: CorrectionOptions): boolean =>
  options.vllm_importance_sampling_mode.startsWith("sequence");

export function correctionRatio(
  old_T: Tensor,
  sampling_T: Tensor,
  index: TokenIndex,
  options: CorrectionOptions,
): Tensor {
  const difference_T = old_T.sub(sampling_T);
  const log_T = isPerSequence(options) ? spread(perSequence(difference_T, index, "sum"), index) : difference_T;
  return bounded(log_T.exp(), options);
}

function bounded(ratio_T: Tensor, options: CorrectionOptions): Tensor {
  const { vllm_importance_sampling_clip_min: min, vllm_importance_sampling_clip_max: max } = options;
  if (min === null && max === null) return ratio_T;
  const cut_T = ops.clamp(ratio_T, { min, max });
  if (options.vllm_importance_sampling_mode.endsWith("truncate")) return cut_T;
  // Not a product with 0 and 1: an infinite ratio, which is the first to be dropped, would become NaN.
  return ops.maskedFill(ratio_T, ops.ne(cut_T, ratio_T), 0);
}
