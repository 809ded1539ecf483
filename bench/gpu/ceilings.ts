/** What the machine can do at most: bytes to and from its memory, and operations of a bfloat16 product, per second. */
import { type DType, ops, scope } from "../../src/torch/index.js";
import { timed } from "./clock.js";

export interface Ceilings {
  /** Bytes read and written per second by the better of copy and triad. */
  bandwidth: number;
  copy: number;
  triad: number;
  /** Operations per second. */
  matmul: number;
}

export function measureCeilings(device: string, dtype: DType, sizes: { bytes: number; matrix: number }): Ceilings {
  const [copy, triad] = scope(() => memory(device, sizes.bytes));
  return {
    bandwidth: Math.max(copy!, triad!),
    copy: copy!,
    triad: triad!,
    matmul: scope(() => matmul(device, dtype, sizes.matrix)),
  };
}

/** a = b, and a = b + s·c (McCalpin's STREAM). */
function memory(device: string, bytes: number): [number, number] {
  const n = bytes / 4;
  const [a, b, c] = [0, 1, 2].map(() => ops.randn([n], { device }));
  const copied = timed(device, () => ops.copy_(a!, b!));
  // Without an operator that writes a + s·b into a third tensor: a = a + s·c, which reads two and writes one as well.
  const added = timed(device, () => ops.add_(a!, c!, { alpha: 0.5 }));
  return [(1000 * 2 * bytes) / copied, (1000 * 3 * bytes) / added];
}

/** Random numbers: products of zeros run faster than real ones. */
function matmul(device: string, dtype: DType, size: number): number {
  const [a, b] = [0, 1].map(() => ops.randn([size, size], { dtype, device }));
  const ms = timed(device, () => scope(() => void ops.matmul(a!, b!)), { rounds: 20 });
  return (1000 * 2 * size ** 3) / ms;
}
