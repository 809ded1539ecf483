/** Stochastic rounding: up or down at random so that the mean is the value itself, and updates below the resolution are not lost. */
import * as ops from "./ops.generated.js";
import { keep, scope } from "./scope.js";
import type { Tensor } from "./tensor.js";

/** Numbers drawn per step and width of noise; longer noise is made from them. */
const TABLE = 1 << 16;

/**
 * Uniform random integers for one optimizer step. One table is drawn and XORed with a fresh random number per stretch of it: any two
 * numbers are independent, so sums of rounding errors vary as if all were, for one pass over memory instead of a drawing each (25 passes).
 */
export class RoundingNoise {
  readonly #tables = new Map<number, Tensor>();

  constructor(readonly device: string) {}

  /** `length` int32 numbers in 0 … 2^bits − 1. Draws from the CPU's default generator, whatever the device. */
  next(bits: number, length: number): Tensor {
    const table = this.#tables.get(bits) ?? keep(this.#draw(bits, [1, TABLE]));
    this.#tables.set(bits, table);
    if (length <= TABLE) {
      return ops.bitwiseXor(ops.view(table, [-1]).narrow(0, 0, length), this.#draw(bits, [1]));
    }
    const rows = this.#draw(bits, [Math.ceil(length / TABLE), 1]);
    return ops.view(ops.bitwiseXor(table, rows), [-1]).narrow(0, 0, length);
  }

  dispose(): void {
    for (const table of this.#tables.values()) table.dispose();
  }

  #draw(bits: number, shape: readonly number[]): Tensor {
    return ops.randint(0, 2 ** bits, shape, { dtype: "int32" }).to(this.device);
  }
}

/** Rounds float32 `values`, which it overwrites, stochastically into the bfloat16 `target` of the same shape. */
export function roundInto(target: Tensor, values: Tensor, noise: RoundingNoise): void {
  // A bfloat16 is the upper half of a float32: noise below it carries over with the probability that the lower half says.
  const bits = ops.viewDtype(values, "int32");
  ops.bitwiseAnd_(ops.add_(bits, noise.next(16, values.numel)), -65536);
  ops.copy_(target, values);
}

/** float32 → bfloat16, stochastically, from the default generator. */
export function roundToBfloat16(values: Tensor): Tensor {
  return scope(() => {
    const noise = new RoundingNoise(values.device);
    const target = ops.emptyLike(values, { dtype: "bfloat16" });
    roundInto(ops.view(target, [-1]), ops.reshape(values, [-1]).clone(), noise);
    noise.dispose();
    return target;
  });
}

/** One 32-bit seed from two numbers (the finalizer of MurmurHash3): neighbouring steps get unrelated noise. */
export function mixSeeds(a: number, b: number): number {
  let h = (Math.imul(a, 0x9e3779b1) ^ Math.imul(b + 1, 0x85ebca6b)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
