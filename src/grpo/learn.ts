import { backwardTokens, padBatch } from "../model/batch.js";
import type { BatchShape, GrpoRecipe } from "../recipe/index.js";
import { ops, scope, type Tensor, tensor } from "../torch/index.js";
import { type Learner, NonFiniteError } from "../train/learner.js";
import { microBatches, TOKENS_PER_MICRO_BATCH } from "./batches.js";
import { LOSSES, mergeStats, Objective, report, type Stats } from "./losses/index.js";
import { max, mean } from "./losses/stats.js";
import type { LossTokens, StepShape } from "./losses/types.js";
import { toScored } from "./old-logps.js";
import { lengthOf, logpTemperature, type Sample } from "./sample.js";

export interface LearnContext {
  learner: Learner;
  recipe: GrpoRecipe;
  shape: BatchShape;
}

/**
 * One optimizer step on `samples`, a part of the sampling `all`. Returns loss, TRL's metrics of the loss, and those of the update.
 * Gradients are summed over micro-batches of any size: a token's weight in the loss comes from the whole step.
 * @throws NonFiniteError before the weights are touched
 */
export function learn(
  { learner, recipe, shape }: LearnContext,
  samples: readonly Sample[],
  all: readonly Sample[],
  stepsDone: number,
): Record<string, number> {
  const weights = LOSSES[recipe.loss_type].weights(stepShape(samples, all, recipe, shape));
  const stats: Stats[] = [];
  let loss = 0;
  for (const indices of microBatches(samples.map(lengthOf), TOKENS_PER_MICRO_BATCH)) {
    const part = indices.map((i) => ({ sample: samples[i]!, weight: weights[i]! }));
    scope(() => {
      const done = backwardPart(learner, recipe, part);
      loss += done.loss;
      stats.push(done.stats);
    });
  }
  if (!Number.isFinite(loss)) throw new NonFiniteError(`the loss of step ${stepsDone + 1} is ${loss}`);
  return { loss, ...report(mergeStats(stats)), ...learner.update(stepsDone) };
}

interface Weighted {
  sample: Sample;
  /** Of each of its tokens, in the step's loss. */
  weight: number;
}

function backwardPart(learner: Learner, recipe: GrpoRecipe, part: readonly Weighted[]): { loss: number; stats: Stats } {
  const { model } = learner;
  const masked = ({ sample }: Weighted) => lossLength(sample, recipe) === 0;
  // A completion left out of the loss still is one of the sequences: it enters the pass as one token that is not scored.
  const sequences = part.map((p) =>
    masked(p) ? { ids: p.sample.promptIds.slice(0, 1), from: 1 } : toScored(p.sample),
  );
  const batch = padBatch(sequences, model.device);
  const tokens = lossTokens(part, recipe, model.device);
  const objective = new Objective(tokens, recipe);
  const chunk = objective.needsWholeSequences ? { chunk: Math.max(1, tokens.weights_T.numel) } : {};
  const options = { temperature: logpTemperature(recipe), ...chunk };
  const scores = backwardTokens(model, batch, objective.gradient, options);
  const sampling = recipe.vllm_importance_sampling_correction ? {} : samplingStats(tokens, scores.logps_N);
  return { loss: objective.loss, stats: { ...objective.stats(scores.entropy_N), ...sampling } };
}

function lossTokens(part: readonly Weighted[], recipe: GrpoRecipe, device: string): LossTokens {
  const lengths = part.map(({ sample }) => lossLength(sample, recipe));
  const counted = part.filter((_, i) => lengths[i]! > 0).map(({ sample }) => sample);
  const place = (values: readonly number[], dtype: "float32" | "int64" = "float32") =>
    tensor([...values], [values.length], dtype).to(device);
  const flat = (pick: (sample: Sample) => readonly number[] | null): Tensor | null => {
    const rows = counted.map(pick);
    return rows.some((row) => row === null) ? null : place(rows.flatMap((row) => row ?? []));
  };
  const spread = (values: readonly number[], dtype?: "int64") =>
    place(
      values.flatMap((value, i) => Array<number>(lengths[i]!).fill(value)),
      dtype,
    );
  return {
    old_T: flat((sample) => sample.oldLogps),
    ref_T: flat((sample) => sample.refLogps),
    sampling_T: flat((sample) => sample.samplerLogps),
    advantages_T: spread(part.map(({ sample }) => sample.advantage)),
    weights_T: spread(part.map(({ weight }) => weight)),
    sequence_T: spread(
      part.map((_, i) => i),
      "int64",
    ),
    lengths,
  };
}

/** How far sampler and trainer are apart on the same tokens; they share one set of weights, so this is numerical noise. */
function samplingStats(tokens: LossTokens, logps_T: Tensor): Stats {
  if (tokens.sampling_T === null) return {};
  const difference = ops.abs((tokens.old_T ?? logps_T).sub(tokens.sampling_T)).toArray();
  return {
    "sampling/sampling_logp_difference/mean": mean(difference),
    "sampling/sampling_logp_difference/max": max(difference),
  };
}

/** Tokens that count: none of a truncated completion where those are masked. */
const lossLength = (sample: Sample, recipe: GrpoRecipe): number =>
  recipe.mask_truncated_completions && sample.truncated ? 0 : sample.ids.length;

function stepShape(
  samples: readonly Sample[],
  all: readonly Sample[],
  recipe: GrpoRecipe,
  shape: BatchShape,
): StepShape {
  const tokens = all.reduce((sum, sample) => sum + lossLength(sample, recipe), 0);
  return {
    lengths: samples.map((sample) => lossLength(sample, recipe)),
    perMicroBatch: shape.microBatch,
    maxCompletionLength: recipe.max_completion_length,
    tokensPerStep: tokens / shape.stepsPerGeneration,
  };
}
