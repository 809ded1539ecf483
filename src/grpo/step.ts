import { backwardTokens, packBatch, planBatches, scoreTokens } from "../passes/batch.js";
import { learningAdvice, orSmaller, shrink } from "../passes/full-memory.js";
import { zerosFor } from "../passes/half-gradients.js";
import type { PassPlan } from "../passes/memory.js";
import type { BatchShape, GrpoRecipe } from "../recipe/index.js";
import { phase } from "../run/phases.js";
import { ops, scope, type Tensor, tensor } from "../torch/index.js";
import { type Learner, NonFiniteError } from "../training/learner.js";
import { type EntropyTerm, entropyTerms, usesEntropy } from "./entropy.js";
import { LOSSES, mergeStats, Objective, report, type Stats } from "./losses/index.js";
import { max, mean } from "./losses/stats.js";
import type { LossTokens, StepShape } from "./losses/types.js";
import { logpTemperature, type Sample } from "./sample.js";
import { scoreEntropies, toScored } from "./scoring.js";
import type { Part } from "./spans.js";

export interface LearnContext {
  learner: Learner;
  recipe: GrpoRecipe;
  shape: BatchShape;
  passes: PassPlan;
}

/**
 * One optimizer step on parts of one sampling or of several. Returns loss, TRL's metrics of the loss, and those of the update.
 * Gradients are summed over micro-batches of any size: a token's weight in the loss comes from the whole step.
 * @throws NonFiniteError before the weights are touched
 */
export function learn(
  { learner, recipe, shape, passes }: LearnContext,
  parts: readonly Part[],
  stepsDone: number,
): Record<string, number> {
  const step = withEntropyTerms(weighted(parts, recipe, shape), { learner, recipe, shape, passes });
  const { device } = learner.model;
  const first = () => accumulate(learner, recipe, passes, step);
  const smaller = () => {
    learner.optimizer.zeroGrad();
    shrink(passes, recipe.gradient_checkpointing);
    return first();
  };
  const done = orSmaller({ device, first, smaller, advice: () => learningAdvice(device, passes) });
  if (!Number.isFinite(done.loss)) throw new NonFiniteError(`the loss of step ${stepsDone + 1} is ${done.loss}`);
  const { entropy_coef } = recipe;
  const bonus: Record<string, number> = entropy_coef === 0 ? {} : { policy_loss: done.loss + done.bonus, entropy_coef };
  return { loss: done.loss, ...bonus, ...report(done.stats), ...phase("optimizer", () => learner.update(stepsDone)) };
}

export interface Weighted {
  sample: Sample;
  /** Of each of its tokens, in the step's loss. */
  weight: number;
  /** What entropies have to do with it, where they have. */
  entropy?: EntropyTerm;
}

function weighted(parts: readonly Part[], recipe: GrpoRecipe, shape: BatchShape): Weighted[] {
  const samples = parts.flatMap((part) => part.samples);
  const count = samples.length / shape.microBatch;
  let start = 0;
  return parts.flatMap((part) => {
    // The step's lengths are those of all parts; what its tokens are divided by comes from each part's own sampling.
    const weights = LOSSES[recipe.loss_type].weights(stepShape(samples, part.all, count, recipe, shape));
    const first = start;
    start += part.samples.length;
    return part.samples.map((sample, i) => ({ sample, weight: weights[first + i]! }));
  });
}

function withEntropyTerms(step: Weighted[], { learner, recipe, shape, passes }: LearnContext): Weighted[] {
  if (!usesEntropy(recipe)) return step;
  const counts = ({ sample }: Weighted) => lossLength(sample, recipe) > 0;
  // Without a quantile only the number of tokens matters.
  const entropies =
    recipe.top_entropy_quantile < 1
      ? scoreEntropies(
          learner.model,
          step.map(({ sample }) => sample),
          logpTemperature(recipe),
          passes,
        )
      : step.map(({ sample }) => sample.ids.map(() => 0));
  const terms = entropyTerms(
    entropies.map((row, i) => (counts(step[i]!) ? row : [])),
    recipe,
    { perMicroBatch: shape.microBatch, perQuantile: shape.microBatch * recipe.num_processes },
  );
  return step.map((each, i) => ({ ...each, entropy: terms[i]! }));
}

/** Adds the step's gradient to the parameters'. `bonus` is what the entropies took from the loss. */
export function accumulate(
  learner: Pick<Learner, "model">,
  recipe: GrpoRecipe,
  passes: PassPlan,
  step: readonly Weighted[],
): { loss: number; bonus: number; stats: Stats } {
  const moving = step.filter(({ sample }) => moves(sample, recipe));
  const idle = step.filter(({ sample }) => !moves(sample, recipe));
  const parts = [
    ...inMicroBatches(learner, recipe, passes, moving).map((part) => ({ part, learns: true })),
    ...inMicroBatches(learner, recipe, passes, idle).map((part) => ({ part, learns: false })),
  ].map(({ part, learns }) => scope(() => passOver(learner, recipe, passes, part, learns)));
  // An update without gradient is not none: the optimizer's momentum goes on.
  if (moving.length === 0) fillGradients(learner);
  return {
    loss: parts.reduce((sum, { loss, bonus }) => sum + loss - bonus, 0),
    bonus: parts.reduce((sum, { bonus }) => sum + bonus, 0),
    stats: mergeStats(parts.map(({ stats }) => stats)),
  };
}

/**
 * Whether a completion has a gradient. Every loss is a multiple of the advantage, but for the KL term and the entropy bonus. One without is scored for the
 * metrics only, which takes a third of the time; groups that all succeed or all fail are common.
 */
const moves = (sample: Sample, recipe: GrpoRecipe): boolean =>
  lossLength(sample, recipe) > 0 && (sample.advantage !== 0 || recipe.beta !== 0 || recipe.entropy_coef !== 0);

function inMicroBatches(
  { model }: Pick<Learner, "model">,
  recipe: GrpoRecipe,
  passes: PassPlan,
  step: readonly Weighted[],
): Weighted[][] {
  const sequences = step.map(({ sample }) => sequenceOf(sample, recipe));
  return planBatches(sequences, model, passes).map((indices) => indices.map((i) => step[i]!));
}

/** A completion left out of the loss still is one of the sequences: it enters the pass as one token that is not scored. */
const sequenceOf = (sample: Sample, recipe: GrpoRecipe) =>
  lossLength(sample, recipe) === 0 ? { ids: sample.promptIds.slice(0, 1), from: 1 } : toScored(sample);

function passOver(
  { model }: Pick<Learner, "model">,
  recipe: GrpoRecipe,
  { checkpointing }: PassPlan,
  part: readonly Weighted[],
  learns: boolean,
): { loss: number; bonus: number; stats: Stats } {
  const batch = packBatch(
    part.map(({ sample }) => sequenceOf(sample, recipe)),
    model,
  );
  const tokens = lossTokens(part, recipe, model.device);
  const objective = new Objective(tokens, recipe);
  const bonus_N = bonusWeights(part, recipe, model.device);
  const options = {
    temperature: logpTemperature(recipe),
    together: objective.needsWholeSequences,
    ...(bonus_N === null ? {} : { entropyGradient_N: bonus_N.neg() }),
  };
  const scores = learns
    ? backwardTokens(model, batch, objective.gradient, { ...options, checkpointing })
    : scoreTokens(model, batch, options);
  if (!learns) objective.gradient(scores.logps_N, 0);
  const sampling = recipe.vllm_importance_sampling_correction ? {} : samplingStats(tokens, scores.logps_N);
  const bonus = bonus_N === null ? 0 : bonus_N.mul(scores.entropy_N).sum().item();
  return { loss: objective.loss, bonus, stats: { ...objective.stats(scores.entropy_N), ...sampling } };
}

/** Each scored token's weight in the entropy bonus. */
function bonusWeights(part: readonly Weighted[], recipe: GrpoRecipe, device: string): Tensor | null {
  if (recipe.entropy_coef === 0) return null;
  const values = part.flatMap(({ sample, entropy }) =>
    Array.from({ length: lossLength(sample, recipe) }, (_, t) =>
      entropy && (entropy.keep?.[t] ?? true) ? entropy.bonus : 0,
    ),
  );
  return tensor(values, [values.length], "float32").to(device);
}

function fillGradients({ model }: Pick<Learner, "model">): void {
  for (const parameter of model.parameters().values()) scope(() => (parameter.grad = zerosFor(parameter)));
}

/** What the loss needs to know of the completions' tokens, those masked out left out. */
export function lossTokens(part: readonly Weighted[], recipe: GrpoRecipe, device: string): LossTokens {
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
    keep_T: kept(part, lengths, place),
    sequence_T: spread(
      part.map((_, i) => i),
      "int64",
    ),
    lengths,
  };
}

/** 1 for tokens that stay in the loss, 0 for others; null where all stay. */
function kept(
  part: readonly Weighted[],
  lengths: readonly number[],
  place: (values: readonly number[]) => Tensor,
): Tensor | null {
  if (part.every(({ entropy }) => (entropy?.keep ?? null) === null)) return null;
  return place(
    part.flatMap(({ entropy }, i) =>
      Array.from({ length: lengths[i]! }, (_, t) => ((entropy?.keep?.[t] ?? true) ? 1 : 0)),
    ),
  );
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

/** @param count the step's micro-batches (an epoch's last step may have fewer) */
function stepShape(
  samples: readonly Sample[],
  all: readonly Sample[],
  count: number,
  recipe: GrpoRecipe,
  shape: BatchShape,
): StepShape {
  const tokens = all.reduce((sum, sample) => sum + lossLength(sample, recipe), 0);
  return {
    lengths: samples.map((sample) => lossLength(sample, recipe)),
    perMicroBatch: shape.microBatch,
    maxCompletionLength: recipe.max_completion_length,
    tokensPerStep: (tokens * count) / (all.length / shape.microBatch),
  };
}
