/**
 * Sequences → one padded forward pass, and the flat list of tokens to be scored in it.
 *
 * B rows, T longest length, N scored tokens in all, D hidden size.
 */
import { assert } from "../errors.js";
import { noGrad, scope, type Tensor, tensor } from "../torch/index.js";
import type { CausalLM } from "./decoder.js";
import { backwardHidden, type HeadOptions, type LogpGradient, scoreHidden, type TokenScores } from "./head.js";

/** Token ids of which those from index `from` (≥ 1) on are scored: a prompt and its completion, for example. */
export interface ScoredSequence {
  ids: readonly number[];
  from: number;
}

export interface PaddedBatch {
  /** Right-padded with 0. */
  ids_BT: Tensor;
  /** Rows of the flattened [B·T, D] hidden states that predict the scored tokens, sequence by sequence. */
  rows_N: Tensor;
  targets_N: Tensor;
  /** Scored tokens per sequence; they sum to N. */
  lengths: number[];
}

export function padBatch(sequences: readonly ScoredSequence[], device = "cpu"): PaddedBatch {
  const T = Math.max(...sequences.map((s) => s.ids.length));
  const ids = new BigInt64Array(sequences.length * T);
  const lengths = sequences.map((s) => s.ids.length - s.from);
  const total = lengths.reduce((a, b) => a + b, 0);
  const rows = new BigInt64Array(total);
  const targets = new BigInt64Array(total);
  let n = 0;
  sequences.forEach(({ ids: row, from }, b) => {
    assert(from >= 1 && from <= row.length, `scored tokens start at 1 or later, not at ${from} of ${row.length}`);
    row.forEach((id, t) => {
      ids[b * T + t] = BigInt(id);
      if (t < from) return;
      rows[n] = BigInt(b * T + t - 1);
      targets[n++] = BigInt(id);
    });
  });
  const place = (data: BigInt64Array, shape: number[]) => tensor(data, shape).to(device);
  return scope(() => ({
    ids_BT: place(ids, [sequences.length, T]),
    rows_N: place(rows, [total]),
    targets_N: place(targets, [total]),
    lengths,
  }));
}

/** Log-probabilities and entropies of the scored tokens, sequence by sequence; no gradients. */
export function scoreTokens(model: CausalLM, batch: PaddedBatch, options: HeadOptions = {}): TokenScores {
  return noGrad(() => scope(() => scoreHidden(model, hiddenRows(model, batch), batch.targets_N, options)));
}

/** Forward and backward: accumulates gradients into the parameters; `gradient` tells the loss's derivative by each log-probability. */
export function backwardTokens(
  model: CausalLM,
  batch: PaddedBatch,
  gradient: LogpGradient,
  options: HeadOptions = {},
): TokenScores {
  return scope(() => backwardHidden(model, hiddenRows(model, batch), batch.targets_N, gradient, options));
}

function hiddenRows(model: CausalLM, batch: PaddedBatch): Tensor {
  const hidden_BTD = model.forward(batch.ids_BT);
  return hidden_BTD.reshape(-1, hidden_BTD.size(-1)).indexSelect(0, batch.rows_N);
}
