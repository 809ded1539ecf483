import type { CausalLM } from "../model/index.js";
import { learningAdvice, orSmaller, shrink } from "../passes/full-memory.js";
import {
  backwardTokens,
  packBatch,
  planBatches,
  scoreTokens,
  type TokenBatch,
  type TokenScores,
} from "../passes/index.js";
import type { PassPlan } from "../passes/memory.js";
import type { MicroBatchOptions } from "../passes/micro-batches.js";
import { phase } from "../run/phases.js";
import { ops, scope } from "../torch/index.js";
import { type Learner, NonFiniteError } from "../training/learner.js";
import { type Example, learntTokens } from "./types.js";

/** Means over the learnt tokens of a batch, with TRL's names. */
export interface BatchMetrics {
  /** Cross-entropy −log p(token) in nats. */
  loss: number;
  /** Share of tokens that the model held for the most likely. */
  mean_token_accuracy: number;
  /** Of the next-token distribution, in nats. */
  entropy: number;
}

/**
 * One optimizer step. The loss is the mean over all learnt tokens of `examples`, however they are split into micro-batches
 * (transformers' num_items_in_batch).
 * @throws NonFiniteError before the weights are touched
 */
export function learnStep(
  learner: Learner,
  examples: readonly Example[],
  stepsDone: number,
  plan: PassPlan,
  gradient_checkpointing: boolean | "auto" = "auto",
): Record<string, number> {
  const total = tokensToLearn(examples);
  const { device } = learner.model;
  const first = () =>
    overMicroBatches(learner.model, examples, plan, (batch) =>
      backwardTokens(learner.model, batch, (logps_C) => ops.fullLike(logps_C, -1 / total), {
        checkpointing: plan.checkpointing,
      }),
    );
  const smaller = () => {
    learner.optimizer.zeroGrad();
    shrink(plan, gradient_checkpointing);
    return first();
  };
  const metrics = orSmaller({ device, first, smaller, advice: () => learningAdvice(device, plan) });
  if (!Number.isFinite(metrics.loss)) throw new NonFiniteError(`the loss of step ${stepsDone + 1} is ${metrics.loss}`);
  return { ...metrics, ...phase("optimizer", () => learner.update(stepsDone)) };
}

/** The same means without learning. */
export function evaluate(model: CausalLM, examples: readonly Example[], plan: MicroBatchOptions): BatchMetrics {
  return overMicroBatches(model, examples, plan, (batch) => scoreTokens(model, batch));
}

function overMicroBatches(
  model: CausalLM,
  examples: readonly Example[],
  plan: MicroBatchOptions,
  visit: (batch: TokenBatch) => TokenScores,
): BatchMetrics {
  const sums = { loss: 0, mean_token_accuracy: 0, entropy: 0 };
  for (const indices of planBatches(examples, model, plan)) {
    scope(() => {
      const batch = packBatch(
        indices.map((i) => examples[i]!),
        model,
      );
      const { logps_N, entropy_N, best_N } = visit(batch);
      sums.loss -= logps_N.sum().item();
      sums.entropy += entropy_N.sum().item();
      sums.mean_token_accuracy += ops.eq(logps_N, best_N).sum().item();
    });
  }
  const total = tokensToLearn(examples);
  return {
    loss: sums.loss / total,
    mean_token_accuracy: sums.mean_token_accuracy / total,
    entropy: sums.entropy / total,
  };
}

const tokensToLearn = (examples: readonly Example[]): number => examples.reduce((sum, e) => sum + learntTokens(e), 0);
