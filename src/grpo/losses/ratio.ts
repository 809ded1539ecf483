/** The policy ratio π(token) / π_old(token): per token, or one per sequence as the geometric mean over its tokens (GSPO). */
import { ops, type Tensor, tensor } from "../../torch/index.js";

/** The tokens of a list of sequences: see LossTokens. */
export interface TokenIndex {
  sequence_T: Tensor;
  lengths: readonly number[];
}

export function policyRatio(logps_T: Tensor, old_T: Tensor, level: "token" | "sequence", index: TokenIndex): Tensor {
  const difference_T = logps_T.sub(old_T);
  return (level === "token" ? difference_T : spread(perSequence(difference_T, index, "mean"), index)).exp();
}

/** Sum or mean over each sequence's tokens, [N]; 0 for a sequence without tokens. */
export function perSequence(x_T: Tensor, index: TokenIndex, what: "sum" | "mean"): Tensor {
  const device = x_T.device;
  const sums_N = ops.indexAdd(ops.zeros([index.lengths.length], { device }), 0, index.sequence_T, x_T);
  return what === "sum" ? sums_N : sums_N.div(tensor(index.lengths.map((n) => Math.max(1, n))).to(device));
}

/** A value per sequence, repeated over its tokens. */
export function spread(x_N: Tensor, index: TokenIndex): Tensor {
  return x_N.indexSelect(0, index.sequence_T);
}
