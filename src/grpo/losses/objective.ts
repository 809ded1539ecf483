/**
 * The loss of one micro-batch, as a backward pass over chunks of tokens wants it: asked for the derivative by a chunk's log-probabilities,
 * it computes that chunk's loss and remembers what the metrics need. One Objective serves one pass over its tokens.
 */
import { assert } from "../../errors.js";
import { enableGrad, gradients, noGrad, ops, scope, type Tensor } from "../../torch/index.js";
import { bnpo } from "./bnpo.js";
import { cispo } from "./cispo.js";
import { correctionRatio, isPerSequence } from "./correction.js";
import { dapo } from "./dapo.js";
import { drGrpo } from "./dr-grpo.js";
import { grpo } from "./grpo.js";
import { k3 } from "./kl.js";
import { metricsOf, type TokenRows } from "./metrics.js";
import { policyRatio } from "./ratio.js";
import { sapo } from "./sapo.js";
import type { Stats } from "./stats.js";
import type { Loss, LossOptions, LossTokens, LossType } from "./types.js";

export const LOSSES: Record<LossType, Loss> = { grpo, bnpo, dr_grpo: drGrpo, dapo, cispo, sapo };

export class Objective {
  /**
   * Whether some term runs over whole sequences, so that the derivative needs all tokens at once. TRL's default correction does; plain
   * token-level losses don't.
   */
  readonly needsWholeSequences: boolean;
  private total = 0;
  private readonly rows: TokenRows[] = [];

  constructor(
    private readonly tokens: LossTokens,
    private readonly options: LossOptions,
  ) {
    const { beta, vllm_importance_sampling_correction: correction } = options;
    assert(beta === 0 || tokens.ref_T !== null, "a KL term needs the reference's log-probabilities");
    assert(!correction || tokens.sampling_T !== null, "the correction needs the sampler's log-probabilities");
    this.needsWholeSequences =
      options.importance_sampling_level === "sequence" || (correction && isPerSequence(options));
  }

  /** The derivative of the loss by the log-probabilities of the tokens from `start` on, [C]. */
  readonly gradient = (logps_C: Tensor, start: number): Tensor => {
    const length = logps_C.size(0);
    const all = start === 0 && length === this.tokens.weights_T.size(0);
    assert(all || !this.needsWholeSequences, "this loss needs all tokens at once");
    return scope(() => {
      const tokens = all ? this.tokens : cut(this.tokens, start, length);
      const leaf_C = logps_C.detach();
      leaf_C.requiresGrad = true;
      const { loss, rows } = enableGrad(() => tokenLosses(leaf_C, tokens, this.options));
      this.total += loss.item();
      this.rows.push(noGrad(() => scope(() => download(rows))));
      return gradients(loss, [leaf_C])[0] ?? ops.zerosLike(logps_C);
    });
  };

  /** The loss of all chunks so far: their share of the optimizer step's loss. */
  get loss(): number {
    return this.total;
  }

  /** TRL's metrics of the tokens so far. `entropy_T` in nats. */
  stats(entropy_T: Tensor): Stats {
    return metricsOf(this.rows, entropy_T.toArray(), this.tokens.lengths, this.options);
  }
}

type TokenTensors = { [Name in keyof TokenRows]: Tensor };

function tokenLosses(logps_T: Tensor, tokens: LossTokens, options: LossOptions): { loss: Tensor; rows: TokenTensors } {
  const old_T = tokens.old_T ?? logps_T.detach();
  const ratio_T = policyRatio(logps_T, old_T, options.importance_sampling_level, tokens);
  const surrogate = LOSSES[options.loss_type].surrogate(ratio_T, logps_T, tokens.advantages_T, options);
  const rows: TokenTensors = {};
  if (surrogate.high_T !== undefined) rows.high = surrogate.high_T;
  if (surrogate.low_T !== undefined) rows.low = surrogate.low_T;
  let loss_T = tokens.keep_T ? surrogate.loss_T.mul(tokens.keep_T) : surrogate.loss_T;
  if (options.vllm_importance_sampling_correction && tokens.sampling_T !== null) {
    rows.correction = correctionRatio(old_T, tokens.sampling_T, tokens, options);
    rows.difference = ops.abs(old_T.sub(tokens.sampling_T));
    loss_T = loss_T.mul(rows.correction);
  }
  if (options.beta !== 0 && tokens.ref_T !== null) {
    const plain_T = k3(logps_T, tokens.ref_T);
    rows.kl = options.use_bias_correction_kl ? plain_T.mul(ratio_T) : plain_T;
    loss_T = loss_T.add(rows.kl.mul(options.beta));
  }
  return { loss: loss_T.mul(tokens.weights_T).sum(), rows };
}

/** The tokens of one chunk. `lengths` stay those of all, which token-level losses do not read. */
function cut(tokens: LossTokens, start: number, length: number): LossTokens {
  const part = (t: Tensor) => t.narrow(0, start, length);
  return {
    old_T: tokens.old_T && part(tokens.old_T),
    ref_T: tokens.ref_T && part(tokens.ref_T),
    sampling_T: tokens.sampling_T && part(tokens.sampling_T),
    advantages_T: part(tokens.advantages_T),
    weights_T: part(tokens.weights_T),
    keep_T: tokens.keep_T && part(tokens.keep_T),
    sequence_T: part(tokens.sequence_T),
    lengths: tokens.lengths,
  };
}

/** All rows in one transfer. */
function download(rows: TokenTensors): TokenRows {
  const names = Object.keys(rows) as (keyof TokenRows)[];
  if (names.length === 0) return {};
  const tensors = names.map((name) => rows[name]!.detach().to("float32"));
  const numbers = ops.stack(tensors).toArray();
  const length = numbers.length / names.length;
  return Object.fromEntries(names.map((name, i) => [name, numbers.slice(i * length, (i + 1) * length)]));
}
