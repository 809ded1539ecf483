/** The adapters of one stacked weight, stacked the same way. */
import { type DType, keep, ops, type Tensor, tensor } from "../../torch/index.js";
import type { Slot } from "../layout.js";

/** A [r, D] and B [rows, r] of each adapted module, by its Hugging Face name without `.weight`. */
export type Modules = ReadonlyMap<string, { a: Tensor; b: Tensor }>;

export interface AdapterSlot {
  /** The modules' A below each other; float32. */
  a_RD: Tensor;
  /** The modules' B at their rows of the stacked weight; rows without an adapter are zero and stay so. float32. */
  b_Or: Tensor;
  /** 1 where a row belongs to the j-th adapted module, else 0, in the base's dtype; undefined where there is one and it has all rows. */
  mask_On1: Tensor | undefined;
  modules: readonly { name: string; row: number; rows: number }[];
}

export const stemOf = (name: string): string => name.replace(/\.weight$/, "");

/** The modules of a stacked weight that have an adapter, with their rows. */
export function modulesIn(slot: Slot, modules: Pick<Modules, "has">): AdapterSlot["modules"] {
  let row = 0;
  return slot.pieces
    .map((piece) => {
      const start = row;
      row += piece.rows;
      return { name: stemOf(piece.name), row: start, rows: piece.rows };
    })
    .filter(({ name }) => modules.has(name));
}

/** The base's. */
export interface Place {
  dtype: DType;
  device: string;
}

/** Call it in a scope: the tensors it returns live on. */
export function stack(slot: Slot, given: Modules, rank: number, { dtype, device }: Place): AdapterSlot {
  const modules = modulesIn(slot, given);
  const pairs = modules.map(({ name }) => given.get(name)!);
  const rows = slot.pieces.reduce((sum, piece) => sum + piece.rows, 0);
  const b_Or = ops.zeros([rows, rank]);
  modules.forEach((module, j) => {
    ops.copy_(b_Or.narrow(0, module.row, module.rows), pairs[j]!.b);
  });
  const a_RD = ops.cat(pairs.map(({ a }) => a.to("float32")));
  const mask =
    modules.length === 1 && slot.pieces.length === 1 ? undefined : maskOf(modules, rows).to(dtype).to(device);
  return { a_RD: keep(a_RD.to(device)), b_Or: keep(b_Or.to(device)), mask_On1: mask && keep(mask), modules };
}

function maskOf(modules: AdapterSlot["modules"], rows: number): Tensor {
  const n = modules.length;
  const mask = new Float32Array(rows * n);
  modules.forEach((module, j) => {
    for (let row = module.row; row < module.row + module.rows; row++) mask[row * n + j] = 1;
  });
  return tensor(mask, [rows, n, 1]);
}

/** Each module's B in its own columns, zeros elsewhere: [O, R]; differentiable. */
export function blocks({ b_Or, mask_On1, modules }: AdapterSlot, dtype: DType): Tensor {
  const b = inDtype(b_Or, dtype);
  if (mask_On1 === undefined) return b;
  const [rows, rank] = [b.size(0), b.size(1)];
  return b
    .unsqueeze(1)
    .mul(inDtype(mask_On1, dtype))
    .view(rows, modules.length * rank);
}

export const inDtype = (t: Tensor, dtype: DType): Tensor => (t.dtype === dtype ? t : t.to(dtype));

export function disposeSlot({ a_RD, b_Or, mask_On1 }: AdapterSlot): void {
  for (const each of [a_RD, b_Or, mask_On1]) each?.dispose();
}
