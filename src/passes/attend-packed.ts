/**
 * Attention over packed sequences: one row that holds blocks of equally long sequences one after the other. All at once where there is an
 * operator for sequences of various lengths: ours on a CPU, FlashAttention's on a GPU in half precision; block by block through
 * scaled_dot_product_attention elsewhere.
 *
 * N tokens in all, H query heads, G key/value heads, K head dimension; a block has R rows of T tokens.
 */
import { assert } from "../errors.js";
import { type FusedAttend, type PlainAttend, sdpa } from "../model/attend.js";
import type { ModelConfig } from "../model/config.js";
import { callOp, ops, type Tensor, tensor } from "../torch/index.js";
import { wrapOptional } from "../torch/tensor.js";

/** Neighbouring sequences of one length in the packed row. */
export interface Block {
  rows: number;
  length: number;
}

/** Each token sees the earlier tokens of its own sequence. `starts`: where sequences begin and end, if a kernel takes them all at once. */
export function packed(blocks: readonly Block[], device: string): PlainAttend & { starts?: Tensor } {
  const length = Math.max(...blocks.map((block) => block.length));
  const positions = blocks.flatMap(({ rows, length }) => Array.from({ length: rows * length }, (_, i) => i % length));
  const base = { positions: tensor(positions, [1, positions.length], "int64").to(device), length };
  const inBlocks: PlainAttend["attend"] = (_layer, q, k, v) => blockAttention(blocks, q, k, v);
  if (device === "cpu") return { ...base, attend: inBlocks };
  const starts = tensor(sequenceStarts(blocks), undefined, "int32").to(device);
  // The kernel knows half precision only.
  const attend: PlainAttend["attend"] = (layer, q, k, v) =>
    q.dtype === "float32" ? inBlocks(layer, q, k, v) : flashAttention(starts, length, q, k, v);
  return { ...base, starts, attend };
}

/** The lengths of a tree's parts: those of its root, then of each continuation, which sees the root and itself. */
export type Parts = readonly number[];

/** The same on a CPU (`fusedOnCpu`), over trees: sequences that begin alike share the tokens they have in common. */
export function packedTrees(
  trees: readonly Parts[],
  { heads, kvHeads }: Pick<ModelConfig, "heads" | "kvHeads">,
): FusedAttend & Record<"starts" | "trees", Tensor> {
  const longest = Math.max(...trees.map(([root, ...rest]) => root! + Math.max(0, ...rest)));
  const [starts, firsts] = [trees.flat(), trees.map((parts) => parts.length)].map((lengths) => {
    const sums = [0];
    for (const length of lengths) sums.push(sums.at(-1)! + length);
    return tensor(sums, undefined, "int64");
  });
  return {
    starts: starts!,
    trees: firsts!,
    attendFused: (_layer, qkv_1NC, rope) => {
      const { cos_NK, sin_NK } = rope.upTo(longest);
      return ops.packedAttention(qkv_1NC, starts!, firsts!, cos_NK, sin_NK, heads, kvHeads);
    },
  };
}

function blockAttention(blocks: readonly Block[], q_1HNK: Tensor, k_1GNK: Tensor, v_1GNK: Tensor): Tensor {
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
    const out_RHTK = sdpa(q[i]!, k[i]!, v[i]!, { isCausal: true });
    return out_RHTK.transpose(1, 2).reshape(-1, out_RHTK.size(1), out_RHTK.size(3));
  });
  const out_NHK = outs.length === 1 ? outs[0]! : ops.cat(outs);
  return out_NHK.unsqueeze(0).transpose(1, 2);
}

/** FlashAttention-2 (Dao 2023, arXiv 2307.08691) over sequences that begin where `starts` says, none longer than `longest`. */
function flashAttention(starts: Tensor, longest: number, q_1HNK: Tensor, k_1GNK: Tensor, v_1GNK: Tensor): Tensor {
  const qkv = [q_1HNK, k_1GNK, v_1GNK].map((t) => t.transpose(1, 2).squeeze(0));
  // cum_seq_q, cum_seq_k, max_q, max_k, dropout, causal, debug mask
  const rest = [starts, starts, longest, longest, 0, true, false];
  const outputs = callOp("aten::_flash_attention_forward", "", ...qkv, ...rest) as number[];
  const [out_NHK] = outputs.map(wrapOptional);
  assert(out_NHK, "flash attention returns its output first");
  return out_NHK.unsqueeze(0).transpose(1, 2);
}

/** Where each sequence begins, and where the last one ends. */
export function sequenceStarts(blocks: readonly Block[]): number[] {
  const starts = [0];
  for (const { rows, length } of blocks) {
    for (let row = 0; row < rows; row++) starts.push(starts.at(-1)! + length);
  }
  return starts;
}
