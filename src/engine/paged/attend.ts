import { assert } from "../../errors.js";
import type { Attend, AttentionLayer, FusedAttend, PlainAttend } from "../../model/attend.js";
import type { RopeTable } from "../../model/rope.js";
import { flashWindow } from "../../passes/attend-packed.js";
import type { CudaKernels } from "../../torch/cuda-kernels.js";
import { cudaKernels } from "../../torch/cuda-trials.js";
import { callOp, callTensorOp, ops, type Tensor } from "../../torch/index.js";
import { native } from "../../torch/native.js";
import { wrapOptional } from "../../torch/tensor.js";
import { flat, type PagedCache } from "./cache.js";

// B rows, W blocks per row of the tables, S tokens per block, H query heads, G key/value heads, K head dimension; R = H/G.

/** Which kernel reads the cache: FlashAttention by block tables, the same by runs of blocks, or products over gathered blocks. */
export type PagedKernel = "flash-paged" | "flash-runs" | "math";

/** FlashAttention-2 takes blocks of a multiple of this many tokens only. */
export const FLASH_BLOCK = 256;

/** What `attend` reads of a model's shape. */
export interface Heads {
  heads: number;
  kvHeads: number;
  headDim: number;
  /** Of the layers that have windows, the windows. */
  kinds?: readonly { window?: number | undefined }[];
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
    tables: PagedTables,
    kernel: PagedKernel,
  ) {
    const { blockSize } = cache.shape;
    this.positions = tables.lengths;
    this.length = cache.width * blockSize;
    const index = callTensorOp("aten::floor_divide", "Scalar", tables.lengths, blockSize);
    const block = tables.blocks.to("int64").gather(1, index).mul(blockSize);
    this.#slots_B = block.add(callTensorOp("aten::remainder", "Scalar", tables.lengths, blockSize)).squeeze(1);
    this.#read = cacheReader(cache, tables, kernel);
  }

  attend(layer: AttentionLayer, q_BH1K: Tensor, k_BG1K: Tensor, v_BG1K: Tensor): Tensor {
    ops.indexCopy_(flat(this.cache.keys(layer.index)), 0, this.#slots_B, k_BG1K.squeeze(2));
    ops.indexCopy_(flat(this.cache.values(layer.index)), 0, this.#slots_B, v_BG1K.squeeze(2));
    return this.#read(layer, q_BH1K.squeeze(2)).unsqueeze(2);
  }
}

/** The same with our kernel for rotation and cache writes, in one launch instead of a dozen. */
export class FusedPagedAttend implements FusedAttend {
  readonly #read: (layer: AttentionLayer, q_BHK: Tensor) => Tensor;

  constructor(
    private readonly cache: Pick<PagedCache, "shape" | "width" | "keys" | "values">,
    private readonly tables: PagedTables,
    kernel: PagedKernel,
    private readonly kernels: Pick<CudaKernels, "rotateAndStore">,
  ) {
    this.#read = cacheReader(cache, tables, kernel);
  }

  attendFused(layer: AttentionLayer, qkv_B1C: Tensor, rope: RopeTable): Tensor {
    const { shape, width } = this.cache;
    const rows = qkv_B1C.size(0);
    const [keys, values] = [this.cache.keys(layer.index), this.cache.values(layer.index)];
    const places = { positions: this.tables.lengths, blocks: this.tables.blocks, keys, values };
    const { cos_NK: cos, sin_NK: sin } = rope.upTo(width * shape.blockSize);
    const q_BHK = this.kernels.rotateAndStore(qkv_B1C.reshape(rows, -1, shape.headDim), places, { cos, sin });
    return this.#read(layer, q_BHK).reshape(rows, 1, -1);
  }
}

/** What a decode step attends with: our kernel where it is used, else libtorch's operators. */
export function pagedAttend(cache: PagedCache, tables: PagedTables, kernel: PagedKernel): Attend {
  const { device, dtype } = cache.shape;
  const kernels = cudaKernels(device, dtype, "rotateAndStore");
  return kernels ? new FusedPagedAttend(cache, tables, kernel, kernels) : new PagedAttend(cache, tables, kernel);
}

/** Attention of one query per row, [B, H, K], over its blocks of a layer. */
export function cacheReader(
  cache: Pick<PagedCache, "shape" | "width" | "keys" | "values">,
  tables: PagedTables,
  kernel: PagedKernel,
): (layer: AttentionLayer, q_BHK: Tensor) => Tensor {
  if (kernel === "math") return overGathered(cache, tables);
  const { blockSize } = cache.shape;
  const attention = flashOver(kernel, tables, { blockSize, longest: cache.width * blockSize });
  return (layer, q_BHK) => attention(layer, q_BHK, cache.keys(layer.index), cache.values(layer.index));
}

/** Everywhere without FlashAttention: a copy of each row's blocks, two batched products and a softmax. */
function overGathered(
  cache: Pick<PagedCache, "shape" | "width" | "keys" | "values">,
  tables: PagedTables,
): (layer: AttentionLayer, q_BHK: Tensor) => Tensor {
  const { dtype, device, kvHeads: G, headDim: K, blockSize } = cache.shape;
  const [B, W] = [tables.lengths.size(0), tables.blocks.size(1)];
  const length = cache.width * blockSize;
  const blocks = tables.blocks.reshape(-1);
  const columns = ops.arange(0, length, { dtype: "int64", device });
  const none = ops.zeros([1], { dtype, device });
  const maskOf = (hidden_BC: Tensor): Tensor =>
    ops
      .maskedFill(none, hidden_BC.unsqueeze(1), Number.NEGATIVE_INFINITY)
      .unsqueeze(1)
      .expand(B, G, 1, length)
      .reshape(B * G, 1, length);
  const later_BC = ops.gt(columns, tables.lengths);
  const causal_NRC = maskOf(later_BC);
  const masked = ({ window }: AttentionLayer): Tensor =>
    window === undefined || window >= length
      ? causal_NRC
      : maskOf(ops.logicalOr(later_BC, ops.le(columns, tables.lengths.sub(window))));
  const gathered = (t: Tensor) => t.indexSelect(0, blocks).view(B, W * blockSize, G, K);
  return (layer, q_BHK) => {
    const R = q_BHK.size(1) / G;
    const keys = gathered(cache.keys(layer.index))
      .permute(0, 2, 3, 1)
      .reshape(B * G, K, length);
    const values = gathered(cache.values(layer.index))
      .transpose(1, 2)
      .reshape(B * G, length, K);
    const scores = ops.baddbmm(masked(layer), q_BHK.reshape(B * G, R, K), keys, { alpha: 1 / Math.sqrt(K) });
    return ops.bmm(ops.softmax(scores, -1, { dtype: "float32" }).to(dtype), values).view(B, G * R, K);
  };
}

/**
 * FlashAttention-2 with one query per row (Dao 2023, arXiv 2307.08691) over keys and values [N, S, G, K], of which no row has more than
 * `longest`; it splits long rows over the processors by itself.
 */
export const flashSchema = (): string =>
  native.schemas().find((text) => text.startsWith("aten::_flash_attention_forward(")) ?? "";

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
  const passesSplits = kernel === "flash-paged" && flashSchema().includes("num_splits");
  return (layer, q_BHK, keys, values) => {
    const [k, v] = kernel === "flash-paged" ? [keys, values] : [flat(keys), flat(values)];
    // max_q, max_k, dropout, causal, debug mask; scale by default, windows, seqused_k, alibi_slopes
    const fixed = [1, longest, 0, false, false, undefined, ...flashWindow(layer), used_B, undefined];
    // Without shared heads, or with a window, the kernel loses all rows but the first when it splits them (pytorch #194167): one split.
    const splits = passesSplits && (q_BHK.size(1) === keys.size(2) || layer.window !== undefined) ? [1] : [];
    const table = kernel === "flash-paged" ? [blocks, ...splits] : [];
    const outputs = callOp("aten::_flash_attention_forward", "", q_BHK, k, v, queries, starts, ...fixed, ...table);
    const [out_BHK] = (outputs as number[]).map(wrapOptional);
    assert(out_BHK, "flash attention returns its output first");
    return out_BHK;
  };
}
