import { type DType, keep, ops, scope, type Tensor, tensor } from "../torch/index.js";

/** Of one layer's keys or values: G key/value heads of dimension K. */
export interface CacheShape {
  layers: number;
  kvHeads: number;
  headDim: number;
  dtype: DType;
  device: string;
}

/** The keys and values of some prompts, per layer [P, T, G, K], right-padded: what a prefill leaves. */
export interface Prefix {
  keys: Tensor[];
  values: Tensor[];
  lengths: number[];
}

/**
 * Keys and values of the running sequences, per layer [rows, capacity, G, K]; row i belongs to the scheduler's row i.
 * Capacity grows with the longest sequence; rows are compacted when sequences leave.
 */
export class KvCache {
  readonly keys: Tensor[] = [];
  readonly values: Tensor[] = [];
  #rows = 0;
  #capacity = 0;

  constructor(private readonly shape: CacheShape) {}

  get rows(): number {
    return this.#rows;
  }
  /** Positions each row has room for. */
  get capacity(): number {
    return this.#capacity;
  }
  get dtype(): DType {
    return this.shape.dtype;
  }

  /** Appends rows: row r gets a copy of prefix prompt `promptOfRow[r]`, so a group shares one prefill. */
  append(prefix: Prefix, promptOfRow: readonly number[]): void {
    const length = Math.max(...prefix.lengths);
    const start = this.#rows;
    this.#resize(start + promptOfRow.length, Math.max(this.#capacity, length));
    const rows = tensor([...promptOfRow], [promptOfRow.length], "int64").to(this.shape.device);
    for (const [own, from] of this.#pairs(prefix)) {
      const target = own.narrow(0, start, promptOfRow.length).narrow(1, 0, length);
      ops.copy_(target, from.narrow(1, 0, length).indexSelect(0, rows));
    }
  }

  *#pairs(prefix: Prefix): Generator<[Tensor, Tensor]> {
    for (let layer = 0; layer < this.shape.layers; layer++) {
      yield [this.keys[layer]!, prefix.keys[layer]!];
      yield [this.values[layer]!, prefix.values[layer]!];
    }
  }

  /** Makes room for sequences of `length` tokens. */
  reserve(length: number): void {
    if (length > this.#capacity) this.#resize(this.#rows, Math.max(length, Math.ceil(this.#capacity * 1.25) + 32));
  }

  /** Keeps only these rows, in this order. */
  keepRows(rows: readonly number[]): void {
    if (rows.length === 0) {
      this.clear();
      return;
    }
    scope(() => {
      const index = tensor([...rows], [rows.length], "int64").to(this.shape.device);
      this.#replace((old) => old.indexSelect(0, index));
    });
    this.#rows = rows.length;
  }

  #resize(rows: number, capacity: number): void {
    if (rows === this.#rows && capacity === this.#capacity) return;
    const { kvHeads, headDim, dtype, device, layers } = this.shape;
    scope(() => {
      // Zeros, not whatever memory held: masked positions still enter a product, and 0 × NaN is NaN.
      const empty = () => ops.zeros([rows, capacity, kvHeads, headDim], { dtype, device });
      if (this.#rows === 0) {
        for (let layer = 0; layer < layers; layer++) {
          this.keys.push(keep(empty()));
          this.values.push(keep(empty()));
        }
        return;
      }
      this.#replace((old) => {
        const grown = empty();
        ops.copy_(grown.narrow(0, 0, this.#rows).narrow(1, 0, this.#capacity), old);
        return grown;
      });
    });
    this.#rows = rows;
    this.#capacity = capacity;
  }

  #replace(change: (old: Tensor) => Tensor): void {
    for (const list of [this.keys, this.values]) {
      list.forEach((old, layer) => {
        list[layer] = keep(change(old));
        old.dispose();
      });
    }
  }

  clear(): void {
    for (const list of [this.keys, this.values]) {
      for (const t of list) t.dispose();
      list.length = 0;
    }
    this.#rows = 0;
    this.#capacity = 0;
  }
}
