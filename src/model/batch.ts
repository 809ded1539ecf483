/**
 * Sequences → one forward pass, and the flat list of tokens to be scored in it.
 *
 * B rows, T tokens per row, N scored tokens in all, D hidden size.
 */
import { assert } from "../errors.js";
import { noGrad, scope, type Tensor, tensor } from "../torch/index.js";
import { type Attend, causal, fusedOnCpu } from "./attend.js";
import { packed } from "./attend-packed.js";
import { forwardAndBackward } from "./checkpointing.js";
import type { CausalLM } from "./decoder.js";
import { backwardHidden, type HeadOptions, type LogpGradient, scoreHidden, type TokenScores } from "./head.js";
import { planBlocks } from "./micro-batches.js";

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

/**
 * One row of all sequences, one after the other, those of like length as blocks (micro-batches.ts). Where attention takes sequences of
 * various lengths at once a block is one sequence, so nothing is padded.
 */
export function packBatch(
  sequences: readonly ScoredSequence[],
  model: Pick<CausalLM, "device" | "dtype" | "config">,
): TokenBatch {
  const lengths = sequences.map((s) => s.ids.length);
  const varlen = fusedOnCpu(model) || (model.device !== "cpu" && model.dtype !== "float32");
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
    attend: packed(blocks, model),
  }));
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
