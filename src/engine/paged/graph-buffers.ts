import { DeviceEvent, isCuda, pinned, upload } from "../../torch/cuda.js";
import type { DType } from "../../torch/index.js";
import { keep, ops, scope, type Tensor, tensor } from "../../torch/index.js";

/** Rows a captured decode step is made for; a batch takes the next larger one. */
export const BUCKETS = [1, 2, 4, 8, 16, 32, 48, 64, 72, 96, 128, 256];

/** The smallest bucket for so many rows; above the largest, multiples of it. */
export function bucketOf(rows: number): number {
  return BUCKETS.find((bucket) => bucket >= rows) ?? Math.ceil(rows / 256) * 256;
}

/** What a decode step reads and writes, always in the same memory: R rows, of which a step takes the first few. */
export class DecodeBuffers {
  /** The newest token of each row, int64 [R, 1]; a step leaves the one it drew there. */
  readonly ids: Tensor;
  /** Tokens in the cache, int64 [R, 1]; a step adds one. */
  readonly lengths: Tensor;
  /** Block tables, int32 [R, W]. */
  readonly blocks: Tensor;
  /** Random numbers to draw by, float32 [R, 1]. */
  readonly uniform: Tensor;
  /** What a step drew: ids, sampling log-probabilities, log-probabilities; float64 [3, R] (it holds ids exactly). */
  readonly drawn: Tensor;

  constructor(
    readonly rows: number,
    readonly width: number,
    readonly device: string,
  ) {
    const make = (shape: number[], dtype: DType) => scope(() => keep(ops.zeros(shape, { dtype, device })));
    this.ids = make([rows, 1], "int64");
    this.lengths = make([rows, 1], "int64");
    this.blocks = make([rows, width], "int32");
    this.uniform = make([rows, 1], "float32");
    this.drawn = make([3, rows], "float64");
  }

  /** The rows from `first` on begin with these tokens, int64 [n]. */
  setIds(first: number, ids: Tensor): void {
    scope(() => ops.copy_(this.ids.narrow(0, first, ids.size(0)), ids.unsqueeze(1)));
  }

  /** Moves rows' newest tokens as the cache's rows move; in the device's order of work, so a step under way is done before. */
  moveIds(moves: readonly (readonly [from: number, to: number])[]): void {
    scope(() => {
      const order = BigInt64Array.from({ length: this.rows }, (_, row) => BigInt(row));
      for (const [from, to] of moves) order[to] = BigInt(from);
      const index = ops.empty([this.rows], { dtype: "int64", device: this.device });
      upload(index, tensor(order));
      ops.copy_(this.ids, this.ids.indexSelect(0, index));
    });
  }

  /** Where the rows are, as the cache's `tables` tells it. */
  setTables({ blocks, lengths }: { blocks: Int32Array; lengths: BigInt64Array }): void {
    scope(() => {
      const rows = lengths.length;
      upload(this.blocks.narrow(0, 0, rows), tensor(blocks, [rows, this.width]));
      upload(this.lengths.narrow(0, 0, rows), tensor(lengths, [rows, 1]));
    });
  }

  dispose(): void {
    for (const t of [this.ids, this.lengths, this.blocks, this.uniform, this.drawn]) t.dispose();
  }
}

/** Results on their way to the host: the copy is asked for at once and waited for when they are read. */
export class Readback {
  readonly #host: Tensor;
  readonly #copied: DeviceEvent;

  constructor(private readonly buffers: DecodeBuffers) {
    const { rows, device } = buffers;
    this.#host = scope(() => keep(pinned(ops.zeros([3, rows], { dtype: "float64" }), device)));
    this.#copied = new DeviceEvent(device);
  }

  ask(): void {
    ops.copy_(this.#host, this.buffers.drawn, { nonBlocking: isCuda(this.buffers.device) });
    this.#copied.record();
  }

  /** Ids, sampling log-probabilities and log-probabilities of the first `rows` rows. */
  read(rows: number): [ids: number[], samplingLogprobs: number[], logprobs: number[]] {
    this.#copied.wait();
    const all = this.#host.toTypedArray() as Float64Array;
    const part = (i: number) => Array.from(all.subarray(i * this.buffers.rows, i * this.buffers.rows + rows));
    return [part(0), part(1), part(2)];
  }

  dispose(): void {
    this.#host.dispose();
    this.#copied.dispose();
  }
}
