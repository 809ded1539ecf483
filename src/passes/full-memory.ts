import { UserError } from "../errors.js";
import { emptyCache, isOutOfGpuMemory } from "../torch/index.js";
import type { PassPlan } from "./memory.js";

/** What may not fit into a GPU's memory. */
export interface Attempts<T> {
  device: string;
  first: () => T;
  /** The same in smaller pieces: tried once if there is no room for `first`, with all unused memory given back before. */
  smaller: () => T;
  /** What to change if that finds no room either. */
  advice: () => string;
}

/** @throws UserError with the advice */
export function orSmaller<T>({ device, first, smaller, advice }: Attempts<T>): T {
  try {
    return first();
  } catch (error) {
    if (!isOutOfGpuMemory(error)) throw error;
  }
  emptyCache(device);
  try {
    return smaller();
  } catch (error) {
    throw asAdvice(error, advice);
  }
}

/** The same for what takes turns with other work. */
export async function orSmallerLater<T>({ device, first, smaller, advice }: Attempts<Promise<T>>): Promise<T> {
  try {
    return await first();
  } catch (error) {
    if (!isOutOfGpuMemory(error)) throw error;
  }
  emptyCache(device);
  try {
    return await smaller();
  } catch (error) {
    throw asAdvice(error, advice);
  }
}

const asAdvice = (error: unknown, advice: () => string): unknown =>
  isOutOfGpuMemory(error) ? new UserError(advice(), { cause: error }) : error;

/** Passes of half the tokens from here on, checkpointed unless that is forbidden. */
export function shrink(plan: PassPlan, gradient_checkpointing: boolean | "auto"): void {
  plan.maxTokens = Math.max(1, Math.floor(plan.maxTokens / 2));
  plan.checkpointing ||= gradient_checkpointing !== false;
}

/** What to change when a training step does not fit. */
export const learningAdvice = (device: string, { maxTokens }: PassPlan): string =>
  `the memory of ${device} is full, also with passes of ${maxTokens} tokens: set max_tokens_per_micro_batch below ${maxTokens}, ` +
  "gradient_checkpointing to true, a smaller optim (adamw_8bit), or shorter completions, or give the GPU to this run alone";
