/**
 * Gradients of half-precision weights add up in float32: a sum in bfloat16 (8 bits) stops growing after some hundred parts. libtorch adds
 * to whatever `.grad` holds, so a float32 zero there is all it takes; one backward pass still makes its own gradient in the weight's
 * precision, which is then added.
 */
import type { CausalLM } from "../model/decoder.js";
import { noGrad, ops, scope, type Tensor } from "../torch/index.js";

/** Elements of the head's gradient made at once, in rows: what stays in a processor's cache until it is added (measured: 1 to 4 MB). */
const BLOCK = { cpu: 1 << 21, gpu: 1 << 26 };

const isHalf = ({ dtype }: Tensor): boolean => dtype === "bfloat16" || dtype === "float16";

/** Gives every trained half-precision weight that has no gradient yet one of float32 zeros. */
export function holdInFloat32(model: CausalLM): void {
  for (const weight of model.parameters().values()) {
    if (isHalf(weight) && weight.requiresGrad && weight.grad === null) weight.grad = zerosFor(weight);
  }
}

/** Zeros that a weight's gradient can be added to. */
export const zerosFor = (weight: Tensor): Tensor =>
  ops.zeros(weight.shape, { dtype: isHalf(weight) ? "float32" : weight.dtype, device: weight.device });

/** Adds a product [V, C] · [C, D] to `sum_VD`, in blocks of rows where the product has less precision than the sum. */
export function addProduct(sum_VD: Tensor, left_VC: Tensor, right_CD: Tensor): void {
  if (sum_VD.dtype === left_VC.dtype) {
    ops.addmm_(sum_VD, left_VC, right_CD);
    return;
  }
  const [V, D] = [sum_VD.size(0), sum_VD.size(1)];
  const rows = Math.max(1, Math.floor((sum_VD.device === "cpu" ? BLOCK.cpu : BLOCK.gpu) / D));
  noGrad(() => {
    for (let start = 0; start < V; start += rows) {
      const length = Math.min(rows, V - start);
      scope(() => {
        const part = left_VC.narrow(0, start, length).matmul(right_CD);
        ops.add_(sum_VD.narrow(0, start, length), part);
      });
    }
  });
}
