/**
 * Attention over packed sequences: one row that holds blocks of equally long sequences one after the other. All at once where there is an
 * operator for sequences of various lengths: ours on a CPU, FlashAttention's on a GPU in half precision; block by block through
 * scaled_dot_product_attention elsewhere.
 *
 * N tokens in all, H query heads, G key/value heads, K head dimension; a block has R rows of T tokens.
 */
import { assert } from "../errors.js";
import {
  type AttentionLayer,
  besideEachOther,
  causalSdpa,
  type FusedAttend,
  type PlainAttend,
  rotatedHeads,
  seesAll,
} from "../model/attend.js";
import type { ModelConfig } from "../model/config.js";
import { callOp, ops, type Tensor, tensor } from "../torch/index.js";
import { wrapOptional } from "../torch/tensor.js";

/** Neighbouring sequences of one length in the packed row. */
export interface Block {
  rows: number;
  length: number;
}

/** q [1, H, N, K] over k and v [1, G, N, K] of packed blocks. */
export type PackedAttention = (
  blocks: readonly Block[],
  layer: AttentionLayer,
  q: Tensor,
  k: Tensor,
  v: Tensor,
) => Tensor;

/**
 * Each token sees the earlier tokens of its own sequence. `varlen`: FlashAttention takes them all at once (packed-kernel.ts); `starts` then
 * says where sequences begin and end.
 */
export function packed(blocks: readonly Block[], device: string, varlen: boolean): PlainAttend & { starts?: Tensor } {
  const length = Math.max(...blocks.map((block) => block.length));
  const positions = blocks.flatMap(({ rows, length }) => Array.from({ length: rows * length }, (_, i) => i % length));
  const base = { positions: tensor(positions, [1, positions.length], "int64").to(device), length };
  if (!varlen) return { ...base, attend: (layer, q, k, v) => blockAttention(blocks, layer, q, k, v) };
  const starts = tensor(sequenceStarts(blocks), undefined, "int32").to(device);
  return { ...base, starts, attend: (layer, q, k, v) => flashAttention(starts, length, layer, q, k, v) };
}

/** The lengths of a tree's parts: those of its root, then of each continuation, which sees the root and itself. */
export type Parts = readonly number[];

/**
 * The same on a CPU (`fusedOnCpu`), over trees: sequences that begin alike share the tokens they have in common. In layers whose window
 * is shorter than the longest sequence, part by part through libtorch's operators.
 */
export function packedTrees(
  trees: readonly Parts[],
  shape: Pick<ModelConfig, "heads" | "kvHeads" | "headDim">,
): FusedAttend & Record<"starts" | "trees" | "positions", Tensor> {
  const longest = Math.max(...trees.map(([root, ...rest]) => root! + Math.max(0, ...rest)));
  const [starts, firsts] = [trees.flat(), trees.map((parts) => parts.length)].map((lengths) => {
    const sums = [0];
    for (const length of lengths) sums.push(sums.at(-1)! + length);
    return tensor(sums, undefined, "int64");
  });
  const positions = tensor(positionsIn(trees), undefined, "int64");
  return {
    starts: starts!,
    trees: firsts!,
    positions,
    attendFused: (layer, qkv_1NC, rope) => {
      if (seesAll(layer, longest)) {
        const { cos_NK, sin_NK } = rope.upTo(longest);
        return ops.packedAttention(qkv_1NC, starts!, firsts!, cos_NK, sin_NK, shape.heads, shape.kvHeads);
      }
      const qkv = rotatedHeads(qkv_1NC, rope, rope.at(positions, longest), shape);
      return besideEachOther(treeAttention(trees, layer, ...qkv));
    },
  };
}

const positionsIn = (trees: readonly Parts[]): number[] =>
  trees.flatMap(([root = 0, ...rest]) => {
    const part = (from: number, length: number) => Array.from({ length }, (_, i) => from + i);
    return [part(0, root), ...rest.map((length) => part(root, length))].flat();
  });

/** Each part of a tree by itself: its own keys behind those of the root that its window reaches. */
function treeAttention(
  trees: readonly Parts[],
  layer: AttentionLayer,
  q_1HNK: Tensor,
  k_1GNK: Tensor,
  v_1GNK: Tensor,
): Tensor {
  const { window = 0 } = layer;
  const outs: Tensor[] = [];
  let first = 0;
  for (const [root = 0, ...rest] of trees) {
    const reached = Math.min(root, window - 1);
    const shared = (t: Tensor) => t.narrow(2, first + root - reached, reached);
    let start = first;
    [root, ...rest].forEach((length, part) => {
      const own = (t: Tensor) => t.narrow(2, start, length);
      const keys = (t: Tensor) => (part === 0 ? own(t) : ops.cat([shared(t), own(t)], { dim: 2 }));
      if (length > 0) outs.push(causalSdpa(layer, own(q_1HNK), keys(k_1GNK), keys(v_1GNK)));
      start += length;
    });
    first = start;
  }
  return outs.length === 1 ? outs[0]! : ops.cat(outs, { dim: 2 });
}

export function blockAttention(
  blocks: readonly Block[],
  layer: AttentionLayer,
  q_1HNK: Tensor,
  k_1GNK: Tensor,
  v_1GNK: Tensor,
): Tensor {
  const cut = (t: Tensor): Tensor[] => {
    const t_NHK = t.transpose(1, 2).squeeze(0);
    const sizes = blocks.map(({ rows, length }) => rows * length);
    const parts = blocks.length === 1 ? [t_NHK] : ops.splitSizes(t_NHK, sizes);
    return parts.map((part, i) => {
      const { rows, length } = blocks[i]!;
      return part.view(rows, length, t_NHK.size(1), t_NHK.size(2)).transpose(1, 2);
    });
  };
  const [q, k, v] = [cut(q_1HNK), cut(k_1GNK), cut(v_1GNK)];
  const outs = blocks.map((_, i) => {
    const out_RHTK = causalSdpa(layer, q[i]!, k[i]!, v[i]!);
    return out_RHTK.transpose(1, 2).reshape(-1, out_RHTK.size(1), out_RHTK.size(3));
  });
  const out_NHK = outs.length === 1 ? outs[0]! : ops.cat(outs);
  return out_NHK.unsqueeze(0).transpose(1, 2);
}

/** FlashAttention-2 (Dao 2023, arXiv 2307.08691) over sequences that begin where `starts` says, none longer than `longest`. */
export function flashAttention(
  starts: Tensor,
  longest: number,
  layer: AttentionLayer,
  q_1HNK: Tensor,
  k_1GNK: Tensor,
  v_1GNK: Tensor,
): Tensor {
  const qkv = [q_1HNK, k_1GNK, v_1GNK].map((t) => t.transpose(1, 2).squeeze(0));
  // cum_seq_q, cum_seq_k, max_q, max_k, dropout, causal, debug mask, scale, tokens seen to the left and to the right
  const rest = [starts, starts, longest, longest, 0, true, false, undefined, ...flashWindow(layer)];
  const outputs = callOp("aten::_flash_attention_forward", "", ...qkv, ...rest) as number[];
  const [out_NHK] = outputs.map(wrapOptional);
  assert(out_NHK, "flash attention returns its output first");
  return out_NHK.unsqueeze(0).transpose(1, 2);
}

/** The window as FlashAttention counts it: tokens to the left and to the right of one's own. */
export const flashWindow = ({ window }: AttentionLayer): [left: number | undefined, right: number | undefined] =>
  window === undefined ? [undefined, undefined] : [window - 1, 0];

/** Where each sequence begins, and where the last one ends. */
export function sequenceStarts(blocks: readonly Block[]): number[] {
  const starts = [0];
  for (const { rows, length } of blocks) {
    for (let row = 0; row < rows; row++) starts.push(starts.at(-1)! + length);
  }
  return starts;
}
