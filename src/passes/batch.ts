/**
 * Sequences → one forward pass, and the flat list of tokens to be scored in it.
 *
 * B rows, T tokens per row, N scored tokens in all, D hidden size.
 */
import { assert, UserError } from "../errors.js";
import { type Attend, causal, fusedOnCpu } from "../model/attend.js";
import type { CausalLM } from "../model/decoder.js";
import { noGrad, scope, type Tensor, tensor } from "../torch/index.js";
import { packed, packedTrees } from "./attend-packed.js";
import { forwardAndBackward } from "./checkpointing.js";
import { FILL } from "./fill.js";
import { backwardHidden, type HeadOptions, type LogpGradient, scoreHidden, type TokenScores } from "./head.js";
import { type MicroBatchOptions, planBlocks, planMicroBatches, planTreeBatches, type Tree } from "./micro-batches.js";
import { takesVarlen } from "./packed-kernel.js";

/** Token ids of which those from index `from` (≥ 1) on are scored: a prompt and its completion, for example. */
export interface ScoredSequence {
  ids: readonly number[];
  from: number;
}

export interface TokenBatch {
  ids_BT: Tensor;
  attend: Attend;
  /** Rows of the flattened [B·T, D] hidden states that predict the scored tokens, sequence by sequence. */
  rows_N: Tensor;
  targets_N: Tensor;
  /** Scored tokens per sequence; they sum to N. */
  lengths: number[];
}

export interface BackwardOptions extends HeadOptions {
  /** Keep only the layers' inputs between forward and backward pass (checkpointing.ts). */
  checkpointing?: boolean;
}

/** What a block costs attention besides its tokens (a few small operators per layer), in tokens. */
const BLOCK_OVERHEAD = 4;

type BatchModel = Pick<CausalLM, "device" | "dtype" | "config">;

/** Indices of the sequences by pass, within the budget of tokens, as `packBatch` lays them out. */
export function planBatches(
  sequences: readonly ScoredSequence[],
  model: BatchModel,
  plan: MicroBatchOptions,
): number[][] {
  if (fusedOnCpu(model)) return planTreeBatches(treesOf(sequences), plan);
  return planMicroBatches(
    sequences.map(({ ids }) => ids.length),
    plan,
  );
}

/**
 * One row of all sequences, one after the other. On a CPU those that begin with the same tokens, of which none is scored, share them: the
 * completions of one prompt (packTrees). Elsewhere those of like length form blocks (micro-batches.ts); on a GPU in half precision a block
 * is one sequence, so nothing is padded.
 */
export function packBatch(sequences: readonly ScoredSequence[], model: BatchModel): TokenBatch {
  checkLengths(sequences, model.config);
  return fusedOnCpu(model) ? packTrees(sequences, model) : packBlocks(sequences, model);
}

/** Sampling ends at the model's context; data may be longer, which only some rotary embeddings take. */
function checkLengths(sequences: readonly ScoredSequence[], { ropes, maxPositions }: BatchModel["config"]): void {
  if (ropes.every(({ limit }) => limit === undefined)) return;
  const long = sequences.find(({ ids }) => ids.length > maxPositions);
  if (long === undefined) return;
  throw new UserError(
    `a sequence of ${long.ids.length} tokens: with this rope_type a model is supported up to ${maxPositions}; leave out or shorten longer ones (max_length, max_completion_length)`,
  );
}

function packBlocks(sequences: readonly ScoredSequence[], model: BatchModel): TokenBatch {
  const lengths = sequences.map((s) => s.ids.length);
  const varlen = takesVarlen(model);
  const plan = planBlocks(lengths, varlen ? 0 : BLOCK_OVERHEAD);
  const blocks = plan.map((indices) => ({ rows: indices.length, length: lengths[indices.at(-1)!]! }));
  const starts: number[] = [];
  let tokens = 0;
  plan.forEach((indices, b) => {
    for (const i of indices) {
      starts[i] = tokens;
      tokens += blocks[b]!.length;
    }
  });
  return scope(() => ({
    ...layOut(sequences, starts, [1, tokens], model.device),
    attend: packed(blocks, model.device, varlen),
  }));
}

/** Each tree's shared tokens once, then what its sequences have of their own, without the last token: nothing is predicted from it. */
function packTrees(sequences: readonly ScoredSequence[], model: BatchModel): TokenBatch {
  const ids: number[] = [];
  const add = (tokens: readonly number[]) => {
    for (const id of tokens) ids.push(id);
  };
  const rows: number[][] = [];
  const trees = treesOf(sequences).map(({ shared, members }) => {
    const root = ids.length;
    add(sequences[members[0]!.index]!.ids.slice(0, shared));
    for (const { index, own } of members) {
      const { ids: all, from } = sequences[index]!;
      const start = ids.length;
      add(all.slice(shared, shared + own));
      // The token at t is predicted from the one before it, which is shared or the sequence's own.
      rows[index] = all.slice(from).map((_, i) => {
        const before = from + i - 1;
        return before < shared ? root + before : start + before - shared;
      });
    }
    return [shared, ...members.map(({ own }) => own)];
  });
  const filler = model.dtype === "float32" ? 0 : -ids.length & (FILL - 1);
  if (filler > 0) trees.push([filler]);
  add(Array<number>(filler).fill(0));
  const targets = sequences.flatMap(({ ids, from }) => ids.slice(from));
  return scope(() => ({
    ids_BT: tensor(ids, [1, ids.length], "int64"),
    rows_N: tensor(rows.flat(), [targets.length], "int64"),
    targets_N: tensor(targets, [targets.length], "int64"),
    lengths: sequences.map(({ ids, from }) => ids.length - from),
    attend: packedTrees(trees, model.config),
  }));
}

/** From so many tokens on, sharing them is worth a tree. */
const WORTH_SHARING = 4;

/** Sequences with the same tokens before the first scored one share those, in order of appearance; the others are trees of one. */
function treesOf(sequences: readonly ScoredSequence[]): Tree[] {
  const trees = new Map<string | number, Tree>();
  sequences.forEach(({ ids, from }, index) => {
    assert(from >= 1 && from <= ids.length, `scored tokens start at 1 or later, not at ${from} of ${ids.length}`);
    const key = from < WORTH_SHARING ? index : ids.slice(0, from).join();
    const tree = trees.get(key) ?? { shared: from, members: [] };
    trees.set(key, tree);
    // The last token is only predicted, if it is scored at all.
    tree.members.push({ index, own: Math.max(0, ids.length - from - 1) });
  });
  return [...trees.values()].map(({ shared, members }) =>
    members.length > 1
      ? { shared, members }
      : { shared: shared + members[0]!.own, members: [{ ...members[0]!, own: 0 }] },
  );
}

/** One row per sequence, padded on the right to the longest: the plain way, which `packBatch` is tested against. */
export function padBatch(sequences: readonly ScoredSequence[], device = "cpu"): TokenBatch {
  const T = Math.max(...sequences.map((s) => s.ids.length));
  const starts = sequences.map((_, row) => row * T);
  return scope(() => ({ ...layOut(sequences, starts, [sequences.length, T], device), attend: causal(T, device) }));
}

/** Each sequence from its place in the flattened [B, T] on; what is between them is token 0. */
function layOut(
  sequences: readonly ScoredSequence[],
  starts: readonly number[],
  shape: [number, number],
  device: string,
): Omit<TokenBatch, "attend"> {
  const ids = new BigInt64Array(shape[0] * shape[1]);
  const lengths = sequences.map((s) => s.ids.length - s.from);
  const total = lengths.reduce((a, b) => a + b, 0);
  const rows = new BigInt64Array(total);
  const targets = new BigInt64Array(total);
  let n = 0;
  sequences.forEach(({ ids: row, from }, s) => {
    assert(from >= 1 && from <= row.length, `scored tokens start at 1 or later, not at ${from} of ${row.length}`);
    row.forEach((id, t) => {
      ids[starts[s]! + t] = BigInt(id);
      if (t < from) return;
      rows[n] = BigInt(starts[s]! + t - 1);
      targets[n++] = BigInt(id);
    });
  });
  const place = (data: BigInt64Array, size: readonly number[]) => tensor(data, size).to(device);
  return { ids_BT: place(ids, shape), rows_N: place(rows, [total]), targets_N: place(targets, [total]), lengths };
}

/** Log-probabilities and entropies of the scored tokens, sequence by sequence; no gradients. */
export function scoreTokens(model: CausalLM, batch: TokenBatch, options: HeadOptions = {}): TokenScores {
  return noGrad(() =>
    scope(() => {
      const hidden_BTD = model.forward(batch.ids_BT, batch.attend);
      return scoreHidden(model, scoredRows(hidden_BTD, batch), batch.targets_N, options);
    }),
  );
}

/** Forward and backward: accumulates gradients into the parameters; `gradient` tells the loss's derivative by each log-probability. */
export function backwardTokens(
  model: CausalLM,
  batch: TokenBatch,
  gradient: LogpGradient,
  { checkpointing = false, ...options }: BackwardOptions = {},
): TokenScores {
  const { ids_BT, attend, targets_N } = batch;
  const body = (hidden_BTD: Tensor) =>
    backwardHidden(model, scoredRows(hidden_BTD, batch), targets_N, gradient, options);
  if (checkpointing) return forwardAndBackward(model, ids_BT, attend, body);
  return scope(() => body(model.forward(ids_BT, attend)));
}

const scoredRows = (hidden_BTD: Tensor, { rows_N }: TokenBatch): Tensor =>
  hidden_BTD.reshape(-1, hidden_BTD.size(-1)).indexSelect(0, rows_N);
