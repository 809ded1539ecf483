import { assert } from "../../errors.js";
import { cudaMemory } from "../../torch/cuda.js";
import { ITEM_BYTES, keep, ops, scope, type Tensor, tensor } from "../../torch/index.js";
import type { CacheShape, NewRows, Prefix } from "../cache.js";
import { BlockPool } from "./blocks.js";

export interface PagedShape extends CacheShape {
  /** Tokens per block. */
  blockSize: number;
  /** Tokens of the longest sequence there will be; the length of every row of the tables follows from it. */
  maxLength: number;
  /** Give each row one run of neighbouring blocks for its longest: what kernels that know no block tables can read. */
  runs?: boolean;
}

interface Row {
  blocks: number[];
  /** Tokens in the cache. */
  length: number;
}

/**
 * Keys and values of the running sequences in blocks (Kwon et al. 2023, arXiv 2309.06180); row i belongs to the scheduler's row i.
 * Sequences take blocks as they grow and give them back when they end; the completions of one prompt read the same blocks of it, except
 * the last, partly filled one, of which each has a copy. Memory grows by half when blocks run out; it moves then, and `version` changes.
 *
 * N blocks, S tokens per block, G key/value heads, K head dimension, L tokens of a prompt.
 */
export class PagedCache {
  readonly #pool = new BlockPool();
  readonly #rows: Row[] = [];
  #keys: Tensor[] = [];
  #values: Tensor[] = [];
  #version = 0;

  constructor(readonly shape: PagedShape) {
    assert(shape.blockSize >= 1, `a block of ${shape.blockSize} tokens`);
  }

  get rows(): number {
    return this.#rows.length;
  }
  /** Blocks of the longest sequence. */
  get width(): number {
    return Math.ceil(this.shape.maxLength / this.shape.blockSize);
  }
  /** Changes when the tensors do. */
  get version(): number {
    return this.#version;
  }
  /** Blocks in use, a shared one counted once. */
  get used(): number {
    return this.#pool.size === 1 ? 0 : (this.#pool.size - 1 - this.#pool.free) * this.#unit;
  }

  lengthOf(row: number): number {
    return this.#rows[row]!.length;
  }

  /** A layer's keys or values, [N, S, G, K]. */
  keys(layer: number): Tensor {
    return this.#keys[layer]!;
  }
  values(layer: number): Tensor {
    return this.#values[layer]!;
  }

  /** On a GPU, memory for `rows` sequences of the longest length, but no more than half of what is free: so it moves seldom or never. */
  reserve(rows: number): void {
    const memory = cudaMemory(this.shape.device);
    if (memory === null) return;
    const { layers, blockSize, kvHeads, headDim, dtype } = this.shape;
    const bytes = 2 * layers * this.#unit * blockSize * kvHeads * headDim * ITEM_BYTES[dtype];
    const free = memory.free + memory.reserved - memory.allocated;
    const each = this.shape.runs ? 1 : this.width;
    this.#growTo(Math.min(1 + rows * each, Math.floor(free / 2 / bytes)));
  }

  /** Appends rows that start from prompts of a prefix. */
  append(prefix: Prefix, parts: readonly NewRows[]): void {
    const first = parts.map((part) => this.#appendRow(prefix.lengths[part.prompt]!));
    this.#writePrefix(
      prefix,
      parts.map(({ prompt }) => prompt),
      first,
    );
    const copies: [from: number, to: number][] = [];
    parts.forEach(({ count }, i) => {
      for (let n = 1; n < count; n++) copies.push(...this.#fork(first[i]!));
    });
    // Members stand together, first members have been appended ahead of the others: put them in order.
    this.#reorder(
      first,
      parts.map(({ count }) => count),
    );
    if (copies.length > 0) this.#copyBlocks(copies);
  }

  /** Room for one more token in every row; returns whether any row has new blocks. */
  extend(): boolean {
    let grown = false;
    for (const row of this.#rows) {
      if (row.length < row.blocks.length * this.shape.blockSize) continue;
      assert(row.blocks.length < this.width, `a sequence grows beyond ${this.shape.maxLength} tokens`);
      row.blocks.push(this.#take());
      grown = true;
    }
    return grown;
  }

  /** Every row has one token more. */
  advance(): void {
    for (const row of this.#rows) row.length++;
  }

  /** The block tables, `rows` × width, block 0 where there is none; and the lengths. */
  tables(rows: number): { blocks: Int32Array; lengths: BigInt64Array } {
    const blocks = new Int32Array(rows * this.width);
    const lengths = new BigInt64Array(rows);
    this.#rows.forEach((row, i) => {
      blocks.set(row.blocks, i * this.width);
      lengths[i] = BigInt(row.length);
    });
    return { blocks, lengths };
  }

  /** Moves rows, `[from, to]` each, then keeps the first `rows`. No tensor is touched. */
  compact(moves: readonly (readonly [from: number, to: number])[], rows: number): void {
    for (const [from, to] of moves) {
      const ended = this.#rows[to]!;
      this.#rows[to] = this.#rows[from]!;
      this.#rows[from] = ended;
    }
    for (const row of this.#rows.splice(rows)) this.#releaseRow(row);
  }

  clear(): void {
    for (const row of this.#rows.splice(0)) this.#releaseRow(row);
    for (const t of [...this.#keys, ...this.#values]) t.dispose();
    this.#keys = [];
    this.#values = [];
  }

  /** Blocks that are taken together. */
  get #unit(): number {
    return this.shape.runs ? this.width : 1;
  }

  #take(): number {
    if (this.#pool.free === 0) this.#growTo(Math.ceil(this.#pool.size * 1.5) + 8);
    return this.#pool.take();
  }

  #appendRow(length: number): number {
    const { blockSize, runs } = this.shape;
    const row: Row = { blocks: [], length };
    if (runs) {
      const start = this.#take() * this.width;
      for (let i = 0; i < this.width; i++) row.blocks.push(start + i);
    } else {
      for (let i = 0; i < Math.ceil(length / blockSize); i++) row.blocks.push(this.#take());
    }
    return this.#rows.push(row) - 1;
  }

  /** A row like `of`; returns the blocks it needs copies of. */
  #fork(of: number): [from: number, to: number][] {
    const { length, blocks } = this.#rows[of]!;
    const filled = Math.floor(length / this.shape.blockSize);
    if (this.shape.runs) {
      const row = this.#rows[this.#appendRow(length)]!;
      const used = Math.ceil(length / this.shape.blockSize);
      return blocks.slice(0, used).map((block, i) => [block, row.blocks[i]!]);
    }
    const row: Row = { blocks: blocks.slice(0, filled), length };
    for (const block of row.blocks) this.#pool.share(block);
    this.#rows.push(row);
    if (filled * this.shape.blockSize === length) return [];
    const last = this.#take();
    row.blocks.push(last);
    return [[blocks[filled]!, last]];
  }

  #reorder(first: readonly number[], counts: readonly number[]): void {
    const start = first[0] ?? 0;
    const heads = this.#rows.slice(start, start + first.length);
    const others = this.#rows.slice(start + first.length);
    const ordered = heads.flatMap((head, i) => [head, ...others.splice(0, counts[i]! - 1)]);
    this.#rows.splice(start, ordered.length, ...ordered);
  }

  #releaseRow({ blocks }: Row): void {
    if (this.shape.runs) this.#pool.release(blocks[0]! / this.width);
    else for (const block of blocks) this.#pool.release(block);
  }

  /** Where the tokens of a row lie in the pool, counted in tokens. */
  #slotsOf(row: number): BigInt64Array {
    const { blockSize } = this.shape;
    const { blocks, length } = this.#rows[row]!;
    return BigInt64Array.from({ length }, (_, i) =>
      BigInt(blocks[Math.floor(i / blockSize)]! * blockSize + (i % blockSize)),
    );
  }

  #writePrefix(prefix: Prefix, prompts: readonly number[], rows: readonly number[]): void {
    scope(() => {
      const slots = rows.flatMap((row) => [...this.#slotsOf(row)]);
      const slots_L = tensor(BigInt64Array.from(slots), [slots.length]).to(this.shape.device);
      const written = (t_PGTK: Tensor): Tensor => {
        const parts = prompts.map((p) => t_PGTK.select(0, p).narrow(1, 0, prefix.lengths[p]!).transpose(0, 1));
        return parts.length === 1 ? parts[0]! : ops.cat(parts);
      };
      for (let layer = 0; layer < this.shape.layers; layer++) {
        scope(() => {
          ops.indexCopy_(flat(this.keys(layer)), 0, slots_L, written(prefix.keys[layer]!));
          ops.indexCopy_(flat(this.values(layer)), 0, slots_L, written(prefix.values[layer]!));
        });
      }
    });
  }

  #copyBlocks(copies: readonly (readonly [from: number, to: number])[]): void {
    scope(() => {
      const index = (side: 0 | 1) =>
        tensor(BigInt64Array.from(copies, (copy) => BigInt(copy[side]))).to(this.shape.device);
      const [from, to] = [index(0), index(1)];
      for (const t of [...this.#keys, ...this.#values]) scope(() => ops.indexCopy_(t, 0, to, t.indexSelect(0, from)));
    });
  }

  /** Memory for `units` blocks or runs of them, layer by layer: never more than one layer's twice. */
  #growTo(units: number): void {
    if (units <= this.#pool.size) return;
    const { layers, blockSize, kvHeads, headDim, dtype, device } = this.shape;
    const fresh = (old: Tensor | undefined): Tensor => {
      // Zeros, not whatever memory held: hidden positions still enter a product, and 0 × NaN is NaN.
      const grown = ops.zeros([units * this.#unit, blockSize, kvHeads, headDim], { dtype, device });
      if (old) ops.copy_(grown.narrow(0, 0, old.size(0)), old);
      old?.dispose();
      return keep(grown);
    };
    for (let layer = 0; layer < layers; layer++) {
      this.#keys[layer] = scope(() => fresh(this.#keys[layer]));
      this.#values[layer] = scope(() => fresh(this.#values[layer]));
    }
    this.#pool.grow(units);
    this.#version++;
  }
}

/** Blocks side by side: [N, S, G, K] → [N·S, G, K]. */
export const flat = (t_NSGK: Tensor): Tensor => t_NSGK.view(-1, t_NSGK.size(2), t_NSGK.size(3));
