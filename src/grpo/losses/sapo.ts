/**
 * SAPO (arXiv 2511.20347): instead of a clip, a soft gate σ(τ · (ratio − 1)) · 4 / τ, whose slope is 1 on policy and fades as the ratio
 * leaves it; tokens of bad completions fade faster (their own τ). Averaged as GRPO.
 */
import { ops, type Tensor } from "../../torch/index.js";
import { grpo } from "./grpo.js";
import type { Loss, Surrogate, SurrogateOptions } from "./types.js";

export const sapo: Loss = { surrogate: gated, weights: grpo.weights };

function gated(ratio_T: Tensor, _logps_T: Tensor, advantages_T: Tensor, options: SurrogateOptions): Surrogate {
  const { sapo_temperature_pos: good, sapo_temperature_neg: bad } = options;
  const tau_T = ops
    .gt(advantages_T, 0)
    .to("float32")
    .mul(good - bad)
    .add(bad);
  const gate_T = ops
    .sigmoid(tau_T.mul(ops.sub(ratio_T, 1)))
    .mul(4)
    .div(tau_T);
  return { loss_T: gate_T.mul(advantages_T).neg() };
}
