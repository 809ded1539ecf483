/** KL divergence from the reference by Schulman's k3 estimator (joschu.net/blog/kl-approx.html): e^d − d − 1 with d = log π_ref − log π. */
import { ops, type Tensor } from "../../torch/index.js";

export function k3(logps_T: Tensor, ref_T: Tensor): Tensor {
  const d_T = ref_T.sub(logps_T);
  return ops.sub(d_T.exp().sub(d_T), 1);
}
