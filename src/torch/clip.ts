import { noGrad } from "./autograd.js";
import * as ops from "./ops.generated.js";
import { scope } from "./scope.js";
import type { Tensor } from "./tensor.js";

/**
 * Scales all gradients so that their joint 2-norm is at most `maxNorm` (torch.nn.utils.clip_grad_norm_).
 * Returns the norm before, which is NaN or infinite if any gradient is: then nothing is scaled.
 */
export function clipGradNorm(parameters: Iterable<Tensor>, maxNorm: number): number {
  return noGrad(() =>
    scope(() => {
      const grads = [...parameters].flatMap((p) => p.grad ?? []);
      if (grads.length === 0) return 0;
      const norms = ops.foreachNorm(grads.flatMap(parts), { dtype: "float32" });
      const total = ops.norm(ops.stack(norms)).item();
      const scale = maxNorm / (total + 1e-6);
      if (Number.isFinite(total) && scale < 1) ops.foreachMul_(grads, scale);
      return total;
    }),
  );
}

/** Elements per norm: that of a half-precision tensor is taken from a float32 copy, which should stay small beside an embedding. */
const PART = 1 << 24;

const parts = (grad: Tensor): Tensor[] => (grad.numel <= PART ? [grad] : ops.split(grad.reshape(-1), PART));
