import { UserError } from "../errors.js";

/**
 * Learning-rate schedules by transformers' names and formulas (transformers.optimization, `get_scheduler`):
 * a warm-up from 0 in equal steps, then a curve down to the last step.
 */
export const SCHEDULES = ["constant", "constant_with_warmup", "linear", "cosine", "cosine_with_min_lr"] as const;
export type ScheduleName = (typeof SCHEDULES)[number];

export interface ScheduleOptions {
  /** Learning rate after the warm-up. */
  lr: number;
  /** Optimizer steps of the whole run. */
  totalSteps: number;
  /** Steps of the warm-up, 0 by default; `constant` has none. The first of them has learning rate 0. */
  warmupSteps?: number;
  /** Where cosine_with_min_lr ends: a learning rate, or a part of `lr`; exactly one of the two. */
  minLr?: number;
  minLrRate?: number;
}

/** The learning rate of the optimizer step after `step` done ones (0 for the first): no state, so resuming is exact. */
export type Schedule = (step: number) => number;

/**
 * Makes a schedule.
 * @throws UserError if cosine_with_min_lr is given neither or both of minLr and minLrRate
 */
export function makeSchedule(name: ScheduleName, options: ScheduleOptions): Schedule {
  const { lr, totalSteps } = options;
  const warmupSteps = name === "constant" ? 0 : (options.warmupSteps ?? 0);
  const curve = makeCurve(name, options);
  return (step) => {
    if (step < warmupSteps) return (lr * step) / warmupSteps;
    return lr * curve((step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
  };
}

/** Steps of a warm-up given as a part of the run: rounded up, as transformers' warmup_ratio. */
export function warmupStepsOf(warmupRatio: number, totalSteps: number): number {
  return Math.ceil(totalSteps * warmupRatio);
}

/** Part of the learning rate at `progress` after the warm-up: 0 at its end, 1 at the last step. */
function makeCurve(name: ScheduleName, options: ScheduleOptions): (progress: number) => number {
  const cosine = (progress: number) => Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
  switch (name) {
    case "constant":
    case "constant_with_warmup":
      return () => 1;
    case "linear":
      return (progress) => Math.max(0, 1 - progress);
    case "cosine":
      return cosine;
    case "cosine_with_min_lr": {
      const rate = minimumRate(options);
      return (progress) => Math.max(0, cosine(progress) * (1 - rate) + rate);
    }
  }
}

function minimumRate({ lr, minLr, minLrRate }: ScheduleOptions): number {
  if ((minLr === undefined) === (minLrRate === undefined)) {
    const given = minLr === undefined ? "neither" : "both";
    throw new UserError(`cosine_with_min_lr needs min_lr or min_lr_rate in lr_scheduler_kwargs: ${given} was given`);
  }
  return minLrRate ?? (minLr ?? 0) / lr;
}
