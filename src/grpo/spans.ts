/**
 * How samplings and optimizer steps lie over each other, counted in micro-batches (per_device_train_batch_size · num_processes completions)
 * as TRL counts them: every micro-batch comes from the current sampling, which lasts for steps_per_generation · num_iterations of them; an
 * optimizer step takes gradient_accumulation_steps of them, from as many samplings as that needs.
 */
import { Pcg32, permutation } from "../data/pcg32.js";
import type { BatchShape, GrpoRecipe } from "../recipe/index.js";
import type { Sample } from "./sample.js";

/** A sampling of which some micro-batches are still to be learnt from. */
export interface Pending {
  /** In the order they are learnt from. */
  samples: readonly Sample[];
  /** Micro-batches taken so far, each iteration counted. */
  taken: number;
}

/** What an optimizer step takes from one sampling. */
export interface Part {
  samples: readonly Sample[];
  /** The whole sampling: a token's weight in the loss depends on it. */
  all: readonly Sample[];
}

type Spread = Pick<GrpoRecipe, "num_iterations" | "gradient_accumulation_steps" | "num_processes">;

/** The next `wanted` micro-batches of a sampling, or those up to the end of its iteration; null where it is used up by them. */
export function take(
  { samples, taken }: Pending,
  wanted: number,
  shape: BatchShape,
  { num_iterations, num_processes }: Spread,
): { part: Part; count: number; pending: Pending | null } {
  const size = shape.microBatch * num_processes;
  const perIteration = shape.microBatchesPerGeneration;
  const first = taken % perIteration;
  const count = Math.min(wanted, perIteration - first);
  const part = { samples: samples.slice(first * size, (first + count) * size), all: samples };
  const now = taken + count;
  return { part, count, pending: now < perIteration * num_iterations ? { samples, taken: now } : null };
}

/** Whether weights move while a sampling is learnt from, so that π_old must be remembered: TRL's condition. */
export const movesWithin = (shape: BatchShape, recipe: Spread): boolean =>
  recipe.gradient_accumulation_steps % (shape.microBatchesPerGeneration * recipe.num_iterations) !== 0;

/** Micro-batches of an epoch over `prompts` prompts. */
const perEpoch = (prompts: number, shape: BatchShape, { num_iterations }: Spread): number =>
  Math.floor(prompts / shape.promptsPerGeneration) * shape.microBatchesPerGeneration * num_iterations;

/** Optimizer steps of an epoch; 0 where the prompts are too few for one sampling. */
export const stepsPerEpoch = (prompts: number, shape: BatchShape, recipe: Spread): number =>
  Math.ceil(perEpoch(prompts, shape, recipe) / recipe.gradient_accumulation_steps);

/** Micro-batches of the step after `stepsDone`: an epoch's last one takes what is left of it, as in transformers. */
export function microBatchesOfStep(stepsDone: number, prompts: number, shape: BatchShape, recipe: Spread): number {
  const whole = recipe.gradient_accumulation_steps;
  const inEpoch = perEpoch(prompts, shape, recipe);
  const steps = stepsPerEpoch(prompts, shape, recipe);
  if (steps === 0 || (stepsDone + 1) % steps !== 0) return whole;
  return inEpoch - (steps - 1) * whole;
}

/**
 * The order in which a sampling is learnt from. TRL shuffles each process's completions before it cuts them into micro-batches, which
 * matters where those belong to several steps, or are averaged one by one (bnpo); elsewhere the order stays as it is, group after group.
 */
export function orderOf(
  samples: readonly Sample[],
  shape: BatchShape,
  recipe: Spread & Pick<GrpoRecipe, "loss_type" | "trl_defaults">,
  random: Pcg32,
): readonly Sample[] {
  const parts = shape.microBatchesPerGeneration;
  const averaged =
    recipe.loss_type === "bnpo" && recipe.trl_defaults !== "open-rs" && samples.length > shape.microBatch;
  if (parts === recipe.gradient_accumulation_steps && !averaged) return samples;
  const own = samples.length / recipe.num_processes;
  const processes = Array.from({ length: recipe.num_processes }, (_, p) =>
    permutation(own, random).map((i) => samples[p * own + i]!),
  );
  const { microBatch } = shape;
  return Array.from({ length: parts }, (_, m) =>
    processes.flatMap((process) => process.slice(m * microBatch, (m + 1) * microBatch)),
  ).flat();
}

/** Random numbers of one step, apart from those of sampling: a resumed run shuffles alike. */
export const shuffler = (seed: number, step: number): Pcg32 => new Pcg32((BigInt(seed) << 32n) ^ BigInt(step), 55n);
