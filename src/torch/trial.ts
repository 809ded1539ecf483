/** Numbers for trials of kernels: operators computed two ways on a device, before one of the ways is trusted. */
import { noGrad } from "./autograd.js";
import * as ops from "./ops.generated.js";
import { type Tensor, tensor } from "./tensor.js";

/** Float32 numbers spread over [-size, size], the same for the same seed; libtorch's random state stays as it is. */
export function noise(shape: readonly number[], seed: number, size = 1): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  let state = (seed * 0x9e3779b1) >>> 0 || 1;
  const numbers = Float32Array.from({ length: count }, () => {
    // Marsaglia's xorshift (2003).
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return size * ((state >>> 0) / 0x80000000 - 1);
  });
  return tensor(numbers, shape);
}

const finite = (x: number): number => (Number.isFinite(x) ? x : Number.POSITIVE_INFINITY);

/** max |a − b|, infinite where either is no number. */
export const furthest = (a: Tensor, b: Tensor): number =>
  noGrad(() => finite(ops.amax(ops.abs(onCpu(a).sub(onCpu(b))), { dim: [] }).item()));

/** ‖a − b‖ / ‖b‖ */
export const relativeError = (a: Tensor, b: Tensor): number =>
  noGrad(() => {
    const squares = (t: Tensor) => t.mul(t).sum().item();
    return finite(Math.sqrt(squares(onCpu(a).sub(onCpu(b))) / squares(onCpu(b))));
  });

const onCpu = (t: Tensor): Tensor => t.detach().to("float32").to("cpu");
