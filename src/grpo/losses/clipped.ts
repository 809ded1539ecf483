/** PPO's clipped objective (arXiv 1707.06347, equation 7) with separate bounds (DAPO, arXiv 2503.14476) and TRL's optional `delta`. */
import { ops, type Tensor } from "../../torch/index.js";
import type { ClipOptions, Surrogate } from "./types.js";

export function clipped(ratio_T: Tensor, _logps_T: Tensor, advantages_T: Tensor, options: ClipOptions): Surrogate {
  const low = 1 - options.epsilon;
  const high = 1 + (options.epsilon_high ?? options.epsilon);
  const bounded = ops.clamp(ratio_T, { min: low, max: high });
  const free = options.delta === null ? ratio_T : ops.clampMax(ratio_T, options.delta);
  return {
    loss_T: ops.minimum(free.mul(advantages_T), bounded.mul(advantages_T)).neg(),
    low_T: ops.logicalAnd(ops.lt(free, low), ops.lt(advantages_T, 0)),
    high_T: ops.logicalAnd(ops.gt(free, high), ops.gt(advantages_T, 0)),
  };
}
