import { type DType, keep, ops, scope, type Tensor, tensor } from "../torch/index.js";

/** Of one layer's keys or values: G key/value heads of dimension K. */
export interface CacheShape {
  layers: number;
  kvHeads: number;
  headDim: number;
  dtype: DType;
  device: string;
  /** Read and written by our own operator (`memory`); else through `write`, `read` and `mask`. */
  fused?: boolean;
}

/** The keys and values of some prompts, per layer [P, G, T, K], right-padded: what a prefill leaves. */
export interface Prefix {
  keys: Tensor[];
  values: Tensor[];
  lengths: number[];
}

/** Rows of the cache that start together from one prompt of a prefix. */
export interface NewRows {
  prompt: number;
  count: number;
}

/** Columns that memory grows by, besides a quarter of what is there. */
const BLOCK = 32;

/**
 * Rows and columns that products are rounded up to. Below float32 the CPU's library (oneDNN) compiles a kernel for every new shape
 * of a product, 0.5 ms and 0.6 MB each: with rows leaving and columns growing that would be most of a decode step.
 */
const EXACT = { rows: (n: number) => n, columns: 1 };
const ROUNDED = { rows: (n: number) => (n < 16 ? 2 ** Math.ceil(Math.log2(n)) : 16 * Math.ceil(n / 16)), columns: 32 };

/** Our operator reads columns in such parts, the last of them ending at the newest. */
const FUSED_COLUMNS = 32;

/**
 * Keys and values of the running sequences; row i belongs to the scheduler's row i. Rows are aligned at their newest token: all
 * write the same column, the end, and row r's tokens are columns [start(r), end). So one copy writes a step's keys of all rows, and
 * which columns a row must not see changes only when rows come and go. Keys lie transposed, [rows, G, K, columns], values
 * [rows, G, columns, K]: the two products of attention then read memory in its order (docs/decisions.md).
 * Columns grow with the longest running sequence, in blocks; those before the first start are dropped when room is needed.
 * Below float32, rows and columns are read in rounded numbers: rows beyond the last hold nothing of use, columns before the first are
 * hidden by the mask.
 */
export class KvCache {
  #keys: Tensor[] = [];
  #values: Tensor[] = [];
  #starts: number[] = [];
  #end = 0;
  #room = { rows: 0, columns: 0 };
  /** Where rows start, int64 [paddedRows]; made when first needed after rows have come or gone. */
  #startsOfRows: Tensor | null = null;
  #views: { keys: Tensor[]; values: Tensor[]; mask: Tensor | null } | null = null;

  readonly #grain: typeof EXACT;
  /** Columns kept free before the first, for the rounding of the window. */
  readonly #slack: number;

  constructor(readonly shape: CacheShape) {
    this.#grain = shape.dtype === "float32" ? EXACT : ROUNDED;
    this.#slack = (shape.fused ? FUSED_COLUMNS : this.#grain.columns) - 1;
  }

  get fused(): boolean {
    return this.shape.fused === true;
  }

  get dtype(): DType {
    return this.shape.dtype;
  }
  get rows(): number {
    return this.#starts.length;
  }
  /** Rows that are written and read: those of sequences and some to round them up. */
  get paddedRows(): number {
    return this.rows === 0 ? 0 : this.#grain.rows(this.rows);
  }
  /** Columns from the first that any row uses to the end. */
  get width(): number {
    return this.#end - this.#first();
  }
  /** Columns there is memory for. */
  get capacity(): number {
    return this.#room.columns;
  }

  /** Tokens of a row. */
  lengthOf(row: number): number {
    return this.#end - this.#starts[row]!;
  }

  /** Appends rows that start from prompts of a prefix: a group shares one prefill, each of its rows gets a copy. */
  append(prefix: Prefix, parts: readonly NewRows[]): void {
    const count = parts.reduce((sum, part) => sum + part.count, 0);
    const longest = Math.max(...parts.map((part) => prefix.lengths[part.prompt]!));
    this.#dropViews();
    const total = this.#grain.rows(this.rows + count);
    if (this.#end - longest < this.#slack || total > this.#room.rows)
      this.#resize(total, Math.max(this.width, longest));
    for (const { prompt, count } of parts) {
      const length = prefix.lengths[prompt]!;
      const start = this.#end - length;
      for (let layer = 0; layer < this.shape.layers; layer++) {
        const keys = this.#keys[layer]!.narrow(0, this.rows, count).narrow(3, start, length);
        const values = this.#values[layer]!.narrow(0, this.rows, count).narrow(2, start, length);
        ops.copy_(keys, prefix.keys[layer]!.select(0, prompt).narrow(1, 0, length).transpose(1, 2));
        ops.copy_(values, prefix.values[layer]!.select(0, prompt).narrow(1, 0, length));
      }
      for (let i = 0; i < count; i++) this.#starts.push(start);
    }
  }

  /** Opens a new column at the end, for every row's newest token. */
  advance(): void {
    if (this.#end === this.#room.columns) this.#resize(this.paddedRows, this.width, 1);
    this.#end++;
  }

  /** A layer's memory, where each row starts in it (int64 [paddedRows]) and the end of all: what our operator takes. */
  memory(layer: number): { keys: Tensor; values: Tensor; starts: Tensor; end: number } {
    this.#startsOfRows ??= this.#newStarts();
    return { keys: this.#keys[layer]!, values: this.#values[layer]!, starts: this.#startsOfRows, end: this.#end };
  }

  #newStarts(): Tensor {
    // Rows that only round up see as little as any: nothing they compute is used.
    const last = Math.max(...this.#starts);
    const starts = Array.from({ length: this.paddedRows }, (_, row) => this.#starts[row] ?? last);
    return keep(tensor(starts, undefined, "int64"));
  }

  /** Writes a layer's keys and values [B, G, K] of the newest token; B: paddedRows. */
  write(layer: number, k_BGK: Tensor, v_BGK: Tensor): void {
    const { keys, values } = this.#current();
    const { kvHeads: G, headDim: K } = this.shape;
    const shape = [this.paddedRows * G, K] as const;
    ops.copy_(keys[layer]!.select(2, this.#end - 1), k_BGK.reshape(...shape));
    ops.copy_(values[layer]!.select(1, this.#end - 1), v_BGK.reshape(...shape));
  }

  /** A layer's keys [B · G, K, W] and values [B · G, W, K]; B: paddedRows, W: width, rounded up, or the layer's window. */
  read(layer: number, window?: number): { keys: Tensor; values: Tensor } {
    const { keys, values } = this.#current();
    const [start, width] = this.#columns(window);
    return { keys: keys[layer]!.narrow(2, start, width), values: values[layer]!.narrow(1, start, width) };
  }

  /** 0 where a row has a token, −∞ before its start: [B · G, 1, W]; null if there is nothing to hide. */
  mask(window?: number): Tensor | null {
    return this.#current().mask?.narrow(2, ...this.#columns(window)) ?? null;
  }

  /** The columns to read: to the end, from the first that any row uses or a little before it, or just a window of them. */
  #columns(window = this.width): [start: number, width: number] {
    if (window < this.width) return [this.#end - window, window];
    const { columns } = this.#grain;
    const width = columns * Math.ceil(this.width / columns);
    return [this.#end - width, width];
  }

  /** Moves rows, `[from, to]` each, then keeps the first `rows`. */
  compact(moves: readonly (readonly [from: number, to: number])[], rows: number): void {
    this.#dropViews();
    scope(() => {
      for (const [from, to] of moves) {
        const start = this.#starts[from]!;
        this.#starts[to] = start;
        const length = this.#end - start;
        for (const t of this.#keys)
          ops.copy_(t.select(0, to).narrow(2, start, length), t.select(0, from).narrow(2, start, length));
        for (const t of this.#values)
          ops.copy_(t.select(0, to).narrow(1, start, length), t.select(0, from).narrow(1, start, length));
      }
    });
    this.#starts.length = rows;
    if (rows === 0) this.clear();
  }

  clear(): void {
    this.#dropViews();
    for (const t of [...this.#keys, ...this.#values]) t.dispose();
    this.#keys = [];
    this.#values = [];
    this.#starts = [];
    this.#end = 0;
    this.#room = { rows: 0, columns: 0 };
  }

  #first(): number {
    return this.#starts.length === 0 ? this.#end : Math.min(...this.#starts);
  }

  /** New memory for `rows`, and for `width` columns of which the last ones are those in use, with `more` and a block to grow in. */
  #resize(rows: number, width: number, more = 0): void {
    const end = this.#slack + width;
    const columns = end + more > this.#room.columns ? Math.ceil((end + more) * 1.25) + BLOCK : this.#room.columns;
    this.#dropViews();
    const { kvHeads, headDim, dtype, device, layers } = this.shape;
    const first = this.#first();
    const [used, kept, shift] = [this.rows, this.width, end - this.#end];
    // Zeros, not whatever memory held: hidden positions still enter a product, and 0 × NaN is NaN.
    const fresh = (old: Tensor | undefined, dim: 2 | 3): Tensor => {
      const shape = dim === 3 ? [rows, kvHeads, headDim, columns] : [rows, kvHeads, columns, headDim];
      const grown = ops.zeros(shape, { dtype, device });
      if (old && used > 0) {
        const target = grown.narrow(0, 0, used).narrow(dim, first + shift, kept);
        ops.copy_(target, old.narrow(0, 0, used).narrow(dim, first, kept));
      }
      old?.dispose();
      return keep(grown);
    };
    for (let layer = 0; layer < layers; layer++) {
      this.#keys[layer] = scope(() => fresh(this.#keys[layer], 3));
      this.#values[layer] = scope(() => fresh(this.#values[layer], 2));
    }
    this.#starts = this.#starts.map((start) => start + shift);
    this.#end = end;
    this.#room = { rows, columns };
  }

  /** The rows in use with rows and heads as one dimension, and their mask: the same until rows come or go, or memory is new. */
  #current() {
    if (this.#views) return this.#views;
    const { kvHeads: G, headDim: K } = this.shape;
    const { columns } = this.#room;
    const B = this.paddedRows;
    const rows = (t: Tensor) => t.narrow(0, 0, B);
    const views = scope(() => ({
      keys: this.#keys.map((t) => rows(t).view(B * G, K, columns)),
      values: this.#values.map((t) => rows(t).view(B * G, columns, K)),
      mask: this.#newMask(),
    }));
    for (const t of [...views.keys, ...views.values]) keep(t);
    if (views.mask) keep(views.mask);
    this.#views = views;
    return views;
  }

  #newMask(): Tensor | null {
    const first = this.#first();
    if (this.#grain === EXACT && this.#starts.every((start) => start === first)) return null;
    const { kvHeads: G, dtype, device } = this.shape;
    const { columns } = this.#room;
    // Rows that only round up see everything: nothing they compute is used, but all of it must stay a number.
    const hidden = new Float32Array(this.paddedRows * G * columns);
    this.#starts.forEach((start, row) => {
      for (let g = 0; g < G; g++)
        hidden.fill(Number.NEGATIVE_INFINITY, (row * G + g) * columns, (row * G + g) * columns + start);
    });
    return tensor(hidden, [this.paddedRows * G, 1, columns])
      .to(dtype)
      .to(device);
  }

  #dropViews(): void {
    this.#startsOfRows?.dispose();
    this.#startsOfRows = null;
    if (!this.#views) return;
    for (const t of [...this.#views.keys, ...this.#views.values]) t.dispose();
    this.#views.mask?.dispose();
    this.#views = null;
  }
}
