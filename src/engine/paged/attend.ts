import { assert } from "../../errors.js";
import type { AttentionLayer, PlainAttend } from "../../model/attend.js";
import { flashWindow } from "../../passes/attend-packed.js";
import { isCuda } from "../../torch/cuda.js";
import { callOp, callTensorOp, type DType, noGrad, ops, scope, type Tensor, TorchError } from "../../torch/index.js";
import { native } from "../../torch/native.js";
import { wrapOptional } from "../../torch/tensor.js";
import { flat, type PagedCache } from "./cache.js";

// B rows, W blocks per row of the tables, S tokens per block, H query heads, G key/value heads, K head dimension; R = H/G.

/** Which kernel reads the cache: FlashAttention by block tables, the same by runs of blocks, or products over gathered blocks. */
export type PagedKernel = "flash-paged" | "flash-runs" | "math";

/** FlashAttention-2 takes blocks of a multiple of this many tokens only. */
export const FLASH_BLOCK = 256;

const known = new Map<string, PagedKernel>();

/** What this libtorch does on the device in this dtype: the best kernel that a small trial goes through with. */
export function pagedKernel(device: string, dtype: DType): PagedKernel {
  if (!isCuda(device) || (dtype !== "bfloat16" && dtype !== "float16")) return "math";
  const key = `${device} ${dtype}`;
  const kernel =
    known.get(key) ?? (["flash-paged", "flash-runs"] as const).find((k) => works(k, device, dtype)) ?? "math";
  known.set(key, kernel);
  return kernel;
}

/** Some libtorch have block tables in the operator's schema, but not in the kernel that comes with them. */
function works(kernel: "flash-paged" | "flash-runs", device: string, dtype: DType): boolean {
  const schema = native.schemas().find((text) => text.startsWith("aten::_flash_attention_forward("));
  if (!schema?.includes(kernel === "flash-paged" ? "block_table" : "seqused_k")) return false;
  return noGrad(() =>
    scope(() => {
      const cache = ops.zeros([2, FLASH_BLOCK, 1, 64], { dtype, device });
      const query = ops.zeros([1, 2, 64], { dtype, device });
      const tables = {
        blocks: ops.ones([1, 1], { dtype: "int32", device }),
        lengths: ops.zeros([1, 1], { dtype: "int64", device }),
      };
      try {
        const layer = { index: 0, window: undefined };
        flashOver(kernel, tables, { blockSize: FLASH_BLOCK, longest: FLASH_BLOCK })(layer, query, cache, cache);
        return true;
      } catch (error) {
        if (error instanceof TorchError) return false;
        throw error;
      }
    }),
  );
}

/** Tensors that say where the rows of one decode step are; they keep their memory from step to step. */
export interface PagedTables {
  /** int32 [B, W]. */
  blocks: Tensor;
  /** Tokens in the cache before this step, int64 [B, 1]. */
  lengths: Tensor;
}

/** One decode step over a paged cache: each row's new key and value go into its block, then it attends to all of its blocks. */
export class PagedAttend implements PlainAttend {
  readonly positions: Tensor;
  readonly length: number;
  /** Where the new tokens go, counted in tokens of the pool. */
  readonly #slots_B: Tensor;
  readonly #read: (layer: AttentionLayer, q_BHK: Tensor) => Tensor;

  constructor(
    private readonly cache: PagedCache,
    private readonly tables: PagedTables,
    kernel: PagedKernel,
  ) {
    const { blockSize } = cache.shape;
    this.positions = tables.lengths;
    this.length = cache.width * blockSize;
    const index = callTensorOp("aten::floor_divide", "Scalar", tables.lengths, blockSize);
    const block = tables.blocks.to("int64").gather(1, index).mul(blockSize);
    this.#slots_B = block.add(callTensorOp("aten::remainder", "Scalar", tables.lengths, blockSize)).squeeze(1);
    this.#read = kernel === "math" ? this.#math() : this.#flash(kernel);
  }

  attend(layer: AttentionLayer, q_BH1K: Tensor, k_BG1K: Tensor, v_BG1K: Tensor): Tensor {
    ops.indexCopy_(flat(this.cache.keys(layer.index)), 0, this.#slots_B, k_BG1K.squeeze(2));
    ops.indexCopy_(flat(this.cache.values(layer.index)), 0, this.#slots_B, v_BG1K.squeeze(2));
    return this.#read(layer, q_BH1K.squeeze(2)).unsqueeze(2);
  }

  #flash(kernel: "flash-paged" | "flash-runs"): (layer: AttentionLayer, q_BHK: Tensor) => Tensor {
    const attention = flashOver(kernel, this.tables, { blockSize: this.cache.shape.blockSize, longest: this.length });
    return (layer, q_BHK) => attention(layer, q_BHK, this.cache.keys(layer.index), this.cache.values(layer.index));
  }

  /** Everywhere else: a copy of each row's blocks, two batched products and a softmax. */
  #math(): (layer: AttentionLayer, q_BHK: Tensor) => Tensor {
    const { dtype, device, kvHeads: G, headDim: K } = this.cache.shape;
    const [B, W] = [this.positions.size(0), this.tables.blocks.size(1)];
    const blocks = this.tables.blocks.reshape(-1);
    const columns = ops.arange(0, this.length, { dtype: "int64", device });
    const none = ops.zeros([1], { dtype, device });
    const maskOf = (hidden_BC: Tensor): Tensor =>
      ops
        .maskedFill(none, hidden_BC.unsqueeze(1), Number.NEGATIVE_INFINITY)
        .unsqueeze(1)
        .expand(B, G, 1, this.length)
        .reshape(B * G, 1, this.length);
    const later_BC = ops.gt(columns, this.positions);
    const causal_NRC = maskOf(later_BC);
    const masked = ({ window }: AttentionLayer): Tensor =>
      window === undefined || window >= this.length
        ? causal_NRC
        : maskOf(ops.logicalOr(later_BC, ops.le(columns, this.positions.sub(window))));
    const gathered = (t: Tensor) => t.indexSelect(0, blocks).view(B, W * this.cache.shape.blockSize, G, K);
    return (layer, q_BHK) => {
      const R = q_BHK.size(1) / G;
      const keys = gathered(this.cache.keys(layer.index))
        .permute(0, 2, 3, 1)
        .reshape(B * G, K, this.length);
      const values = gathered(this.cache.values(layer.index))
        .transpose(1, 2)
        .reshape(B * G, this.length, K);
      const scores = ops.baddbmm(masked(layer), q_BHK.reshape(B * G, R, K), keys, { alpha: 1 / Math.sqrt(K) });
      return ops.bmm(ops.softmax(scores, -1, { dtype: "float32" }).to(dtype), values).view(B, G * R, K);
    };
  }
}

/**
 * FlashAttention-2 with one query per row (Dao 2023, arXiv 2307.08691) over keys and values [N, S, G, K], of which no row has more than
 * `longest`; it splits long rows over the processors by itself.
 */
function flashOver(
  kernel: "flash-paged" | "flash-runs",
  { blocks, lengths }: PagedTables,
  { blockSize, longest }: { blockSize: number; longest: number },
): (layer: AttentionLayer, q_BHK: Tensor, keys_NSGK: Tensor, values_NSGK: Tensor) => Tensor {
  const B = lengths.size(0);
  const used_B = lengths.add(1).to("int32").squeeze(1);
  const queries = ops.arange(0, B + 1, { dtype: "int32", device: lengths.device });
  // Where each row's keys begin; with block tables the kernel finds them itself.
  const starts = ops.cat([blocks.select(1, 0).mul(blockSize), used_B.narrow(0, 0, 1)]);
  return (layer, q_BHK, keys, values) => {
    const [k, v] = kernel === "flash-paged" ? [keys, values] : [flat(keys), flat(values)];
    // max_q, max_k, dropout, causal, debug mask; scale by default, windows, seqused_k, alibi_slopes
    const fixed = [1, longest, 0, false, false, undefined, ...flashWindow(layer), used_B, undefined];
    const table = kernel === "flash-paged" ? blocks : undefined;
    const outputs = callOp("aten::_flash_attention_forward", "", q_BHK, k, v, queries, starts, ...fixed, table);
    const [out_BHK] = (outputs as number[]).map(wrapOptional);
    assert(out_BHK, "flash attention returns its output first");
    return out_BHK;
  };
}
