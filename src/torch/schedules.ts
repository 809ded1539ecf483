import { UserError } from "../errors.js";
import type { AdaptiveName, Ramp, ScheduleArguments, ScheduleName } from "./schedule-names.js";

export { SCHEDULES, type ScheduleName } from "./schedule-names.js";

export interface ScheduleOptions {
  /** Learning rate after the warm-up. */
  lr: number;
  /** Optimizer steps of the whole run. */
  totalSteps: number;
  /** Steps of the warm-up, 0 by default; `constant` has none. The first of them has learning rate 0. */
  warmupSteps?: number;
  /** Of the schedule, with transformers' names and defaults. */
  kwargs?: ScheduleArguments;
}

/** The learning rate of the optimizer step after `step` done ones (0 for the first): no state, so resuming is exact. */
export type Schedule = (step: number) => number;

export type FixedName = Exclude<ScheduleName, AdaptiveName>;

/** Share of the learning rate after the warm-up: `progress` goes from 0 at its end to 1 at the last step. */
type Curve = (progress: number, step: number) => number;

/**
 * Learning-rate schedules by transformers' names and formulas (transformers.optimization, `get_scheduler`):
 * a warm-up from 0 in equal steps, then a curve to the last step. Two have a warm-up of their own.
 * @throws UserError for arguments that do not fit together
 */
export function makeSchedule(name: FixedName, options: ScheduleOptions): Schedule {
  const { lr, totalSteps } = options;
  if (name === "warmup_stable_decay") return warmupStableDecay(options);
  if (name === "cosine_warmup_with_min_lr") return cosineWarmupWithMinLr(options);
  const warmupSteps = name === "constant" ? 0 : (options.warmupSteps ?? 0);
  const curve = CURVES[name](options);
  return (step) => {
    if (step < warmupSteps) return (lr * step) / warmupSteps;
    return lr * curve((step - warmupSteps) / Math.max(1, totalSteps - warmupSteps), step);
  };
}

/** Steps of a warm-up given as a part of the run: rounded up, as transformers' warmup_ratio. */
export function warmupStepsOf(warmupRatio: number, totalSteps: number): number {
  return Math.ceil(totalSteps * warmupRatio);
}

/** @param cycles waves of the cosine: half a one falls from 1 to 0 */
const wave = (cycles: number, progress: number): number => 0.5 * (1 + Math.cos(Math.PI * cycles * 2 * progress));

const CURVES: Record<
  Exclude<FixedName, "warmup_stable_decay" | "cosine_warmup_with_min_lr">,
  (options: ScheduleOptions) => Curve
> = {
  constant: () => () => 1,
  constant_with_warmup: () => () => 1,
  linear: () => (progress) => Math.max(0, 1 - progress),
  cosine:
    ({ kwargs }) =>
    (progress) =>
      Math.max(0, wave(kwargs?.num_cycles ?? 0.5, progress)),
  cosine_with_restarts:
    ({ kwargs }) =>
    (progress) =>
      progress >= 1 ? 0 : wave(0.5, ((kwargs?.num_cycles ?? 1) * progress) % 1),
  cosine_with_min_lr: (options) => {
    const rate = minimumRate("cosine_with_min_lr", options);
    return (progress) => Math.max(0, wave(options.kwargs?.num_cycles ?? 0.5, progress) * (1 - rate) + rate);
  },
  polynomial: ({ lr, kwargs }) => {
    const { lr_end = 1e-7, power = 1 } = kwargs ?? {};
    if (lr_end >= lr)
      throw new UserError(
        `lr_scheduler_kwargs.lr_end ${lr_end} must be below learning_rate ${lr}: polynomial falls from one to the other (lr_end is 1e-7 unless given)`,
      );
    return (progress) => ((lr - lr_end) * Math.max(0, 1 - progress) ** power + lr_end) / lr;
  },
  inverse_sqrt: ({ warmupSteps = 0, kwargs }) => {
    const timescale = kwargs?.timescale ?? (warmupSteps || 10_000);
    return (_, step) => 1 / Math.sqrt((step + timescale - warmupSteps) / timescale);
  },
};

/** Its first step already learns, and each is a step further on the curve. */
function cosineWarmupWithMinLr(options: ScheduleOptions): Schedule {
  const { lr, totalSteps, warmupSteps = 0 } = options;
  const { num_cycles = 0.5, warmup_lr_rate: start } = options.kwargs ?? {};
  const rate = minimumRate("cosine_warmup_with_min_lr", options);
  return (step) => {
    if (step < warmupSteps && start === undefined) return (lr * (step + 1)) / Math.max(1, warmupSteps);
    if (step < warmupSteps && start !== undefined)
      return lr * (start + ((1 - start) * step) / Math.max(1, warmupSteps - 1));
    const progress = (step - warmupSteps + 1) / Math.max(1, totalSteps - warmupSteps);
    return lr * Math.max(0, wave(num_cycles, progress) * (1 - rate) + rate);
  };
}

/** Up, level, down (WSD); level takes what the other two leave, unless it is given. */
function warmupStableDecay({ lr, totalSteps, warmupSteps: up = 0, kwargs = {} }: ScheduleOptions): Schedule {
  const {
    num_decay_steps: down,
    min_lr_ratio = 0,
    num_cycles = 0.5,
    warmup_type = "linear",
    decay_type = "cosine",
  } = kwargs;
  if (down === undefined)
    throw new UserError("warmup_stable_decay needs num_decay_steps in lr_scheduler_kwargs: none was given");
  const level = kwargs.num_stable_steps ?? totalSteps - up - down;
  const above = (share: number) => Math.max(0, share * (1 - min_lr_ratio) + min_lr_ratio);
  return (step) => {
    if (step < up) return lr * above(rise(warmup_type, step / up));
    if (step < up + level) return lr;
    if (step >= up + level + down) return lr * min_lr_ratio;
    return lr * above(fall(decay_type, (step - up - level) / down, num_cycles));
  };
}

function rise(type: Ramp, progress: number): number {
  if (type === "linear") return progress;
  return type === "cosine" ? 0.5 * (1 - Math.cos(Math.PI * progress)) : 1 - Math.sqrt(1 - progress);
}

function fall(type: Ramp, progress: number, cycles: number): number {
  if (type === "linear") return 1 - progress;
  return type === "cosine" ? wave(cycles, progress) : 1 - Math.sqrt(progress);
}

function minimumRate(name: string, { lr, kwargs = {} }: ScheduleOptions): number {
  const { min_lr, min_lr_rate } = kwargs;
  if ((min_lr === undefined) === (min_lr_rate === undefined)) {
    const given = min_lr === undefined ? "neither" : "both";
    throw new UserError(`${name} needs min_lr or min_lr_rate in lr_scheduler_kwargs: ${given} was given`);
  }
  return min_lr_rate ?? (min_lr ?? 0) / lr;
}
