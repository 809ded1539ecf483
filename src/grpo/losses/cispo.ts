/**
 * CISPO (MiniMax-M1, arXiv 2506.13585, equation 4): policy gradient weighted by the capped ratio, which itself has no gradient, so no
 * token's gradient is lost to clipping. `epsilon_high` caps the ratio itself (the paper's ε_high + 1), as in TRL.
 */
import { ops, type Tensor } from "../../torch/index.js";
import { tokenMean } from "./dapo.js";
import type { ClipOptions, Loss, Surrogate } from "./types.js";

export const cispo: Loss = { surrogate: capped, weights: tokenMean };

function capped(ratio_T: Tensor, logps_T: Tensor, advantages_T: Tensor, options: ClipOptions): Surrogate {
  const cap = options.epsilon_high ?? options.epsilon;
  return {
    loss_T: ops.clampMax(ratio_T, cap).detach().mul(advantages_T).mul(logps_T).neg(),
    high_T: ops.logicalAnd(ops.gt(ratio_T, cap), ops.gt(advantages_T, 0)),
  };
}
