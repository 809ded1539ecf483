import type { GrpoRecipe } from "./schema.js";

type BatchKeys = Pick<
  GrpoRecipe,
  | "per_device_train_batch_size"
  | "gradient_accumulation_steps"
  | "num_processes"
  | "num_generations"
  | "generation_batch_size"
  | "steps_per_generation"
>;

/** How many of what, with TRL's arithmetic: per device, times processes, times micro-batches. */
export interface BatchShape {
  /** Sequences in a micro-batch: what `bnpo` averages over. */
  microBatch: number;
  /** Micro-batches per optimizer step, over all processes. */
  microBatchesPerStep: number;
  /** Completions an optimizer step learns from (open-rs: 72). */
  completionsPerStep: number;
  /** Completions sampled at once. */
  completionsPerGeneration: number;
  /** Prompts sampled at once: completionsPerGeneration / num_generations. */
  promptsPerGeneration: number;
  /** Of those, whole: TRL's steps_per_generation. */
  microBatchesPerGeneration: number;
  /** Optimizer steps that pass over one sampling, before num_iterations repeats them; may be a fraction. */
  stepsPerGeneration: number;
}

export function batchShape(recipe: BatchKeys): BatchShape {
  const microBatch = recipe.per_device_train_batch_size;
  const perMicroStep = microBatch * recipe.num_processes;
  const microSteps = recipe.steps_per_generation ?? recipe.gradient_accumulation_steps;
  const completionsPerStep = perMicroStep * recipe.gradient_accumulation_steps;
  const completionsPerGeneration = recipe.generation_batch_size ?? perMicroStep * microSteps;
  return {
    microBatch,
    microBatchesPerStep: recipe.gradient_accumulation_steps * recipe.num_processes,
    completionsPerStep,
    completionsPerGeneration,
    promptsPerGeneration: completionsPerGeneration / recipe.num_generations,
    microBatchesPerGeneration: completionsPerGeneration / perMicroStep,
    stepsPerGeneration: completionsPerGeneration / completionsPerStep,
  };
}
