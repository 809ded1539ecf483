/** transformers' schedules (SchedulerType) and what lr_scheduler_kwargs may say of each. */
export const SCHEDULE_ARGUMENTS = {
  linear: [],
  cosine: ["num_cycles"],
  cosine_with_restarts: ["num_cycles"],
  polynomial: ["lr_end", "power"],
  constant: [],
  constant_with_warmup: [],
  inverse_sqrt: ["timescale"],
  reduce_lr_on_plateau: ["mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lr", "eps"],
  cosine_with_min_lr: ["min_lr", "min_lr_rate", "num_cycles"],
  cosine_warmup_with_min_lr: ["min_lr", "min_lr_rate", "num_cycles", "warmup_lr_rate"],
  warmup_stable_decay: [
    ...["num_decay_steps", "num_stable_steps", "warmup_type", "decay_type", "min_lr_ratio", "num_cycles"],
  ],
  greedy: [
    ...["mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "warmup", "min_lr", "max_lr", "eps"],
    ...["smooth", "window_size", "reset_start"],
  ],
} as const satisfies Record<string, readonly string[]>;

export type ScheduleName = keyof typeof SCHEDULE_ARGUMENTS;
export const SCHEDULES = Object.keys(SCHEDULE_ARGUMENTS) as [ScheduleName, ...ScheduleName[]];

/** Those that follow a metric of the evaluations (adaptive-rates.ts) instead of the number of steps. */
export type AdaptiveName = "reduce_lr_on_plateau" | "greedy";
export const isAdaptive = (name: ScheduleName): name is AdaptiveName =>
  name === "reduce_lr_on_plateau" || name === "greedy";

/** How a warm-up rises or a decay falls. */
export const RAMPS = ["linear", "cosine", "1-sqrt"] as const;
export type Ramp = (typeof RAMPS)[number];

/** transformers' arguments of its schedules, all of them optional. */
export interface ScheduleArguments {
  num_cycles?: number | undefined;
  lr_end?: number | undefined;
  power?: number | undefined;
  timescale?: number | undefined;
  min_lr?: number | undefined;
  min_lr_rate?: number | undefined;
  warmup_lr_rate?: number | undefined;
  num_decay_steps?: number | undefined;
  num_stable_steps?: number | undefined;
  warmup_type?: Ramp | undefined;
  decay_type?: Ramp | undefined;
  min_lr_ratio?: number | undefined;
  mode?: "min" | "max" | undefined;
  factor?: number | undefined;
  patience?: number | undefined;
  threshold?: number | undefined;
  threshold_mode?: "rel" | "abs" | undefined;
  cooldown?: number | undefined;
  warmup?: number | undefined;
  max_lr?: number | undefined;
  eps?: number | undefined;
  smooth?: boolean | undefined;
  window_size?: number | undefined;
  reset_start?: number | undefined;
}
