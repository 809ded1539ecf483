/**
 * Learning rates that follow a metric instead of the number of steps, told it after every evaluation: PyTorch's ReduceLROnPlateau and
 * transformers' GreedyLR (arXiv 2512.14527), with their arguments and defaults. A checkpoint holds their state.
 */
import type { AdaptiveName, ScheduleArguments } from "./schedule-names.js";

/** JSON: what a resumed run needs. */
export interface AdaptiveState {
  lr: number;
  /** The best metric so far; null before the first. */
  best: number | null;
  /** Evaluations in a row without, and with a better metric. */
  bad: number;
  good: number;
  /** Evaluations still to pass over after a fall, after a rise. */
  cooldown: number;
  warmup: number;
  /** Falls at the lower end that are left before `greedy` starts anew. */
  resets: number;
  /** Metrics in `greedy`'s moving average. */
  window: number[];
}

type Rule = (state: AdaptiveState, metric: number) => AdaptiveState;

export class AdaptiveRate {
  #state: AdaptiveState;
  readonly #rule: Rule;

  constructor(name: AdaptiveName, lr: number, kwargs: ScheduleArguments) {
    this.#state = {
      lr,
      best: null,
      bad: 0,
      good: 0,
      cooldown: 0,
      warmup: 0,
      resets: kwargs.reset_start ?? 500,
      window: [],
    };
    this.#rule = name === "greedy" ? greedy(this.#state, kwargs) : plateau(kwargs);
  }

  get lr(): number {
    return this.#state.lr;
  }

  /** The metric of an evaluation. */
  observe(metric: number): void {
    this.#state = this.#rule(this.#state, metric);
  }

  state(): AdaptiveState {
    return this.#state;
  }

  restore(state: AdaptiveState): void {
    this.#state = state;
  }
}

/** Falls by `factor` after more than `patience` evaluations without a better metric. */
function plateau(kwargs: ScheduleArguments): Rule {
  const { factor = 0.1, patience = 10, cooldown = 0, min_lr = 0, eps = 1e-8 } = kwargs;
  const better = comparison({ threshold: 1e-4, threshold_mode: "rel", ...given(kwargs) });
  return (before, metric) => {
    const state = { ...before };
    if (better(metric, state.best)) Object.assign(state, { best: metric, bad: 0 });
    else state.bad++;
    if (state.cooldown > 0) {
      state.cooldown--;
      state.bad = 0;
    }
    if (state.bad <= patience) return state;
    return { ...state, lr: moved(state.lr, Math.max(state.lr * factor, min_lr), eps), cooldown, bad: 0 };
  };
}

/** Falls as above, and rises by 1 / `factor` after more than `patience` better ones; starts anew when it stays at the lower end. */
function greedy(start: AdaptiveState, kwargs: ScheduleArguments): Rule {
  const { factor = 0.95, patience = 10, cooldown = 0, warmup = 0, min_lr = 1e-3, max_lr = 1, eps = 1e-8 } = kwargs;
  const { smooth = false, window_size = 50 } = kwargs;
  const better = comparison({ threshold: 1e-6, threshold_mode: "abs", ...given(kwargs) });
  return (before, metric) => {
    const window = smooth ? [...before.window, metric].slice(-window_size) : before.window;
    const current = smooth ? window.reduce((a, b) => a + b, 0) / window.length : metric;
    const state = { ...before, window };
    if (state.cooldown > 0) return { ...state, cooldown: state.cooldown - 1, bad: 0, good: 0 };
    if (state.warmup > 0) return { ...state, warmup: state.warmup - 1, bad: 0, good: 0 };
    if (better(current, state.best)) Object.assign(state, { best: current, bad: 0, good: state.good + 1 });
    else Object.assign(state, { bad: state.bad + 1, good: 0 });
    if (state.good > patience) {
      const lr = moved(state.lr, Math.min(state.lr / factor, max_lr), eps);
      return { ...state, lr, warmup, good: 0, resets: start.resets };
    }
    if (state.bad <= patience) return state;
    const lr = moved(state.lr, Math.max(state.lr * factor, min_lr), eps);
    const resets = lr > min_lr ? state.resets : state.resets - 1;
    // As transformers: the cool-down that follows a fall also follows a new start.
    return resets > 0 || lr > min_lr ? { ...state, lr, resets, cooldown, bad: 0 } : { ...start, cooldown };
  };
}

/** The new rate, unless it is the old one but for `eps`. */
const moved = (before: number, now: number, eps: number): number => (Math.abs(before - now) > eps ? now : before);

const given = <T extends object>(values: T): T =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;

function comparison(kwargs: ScheduleArguments): (metric: number, best: number | null) => boolean {
  const { mode = "min", threshold = 0, threshold_mode } = kwargs;
  const sign = mode === "min" ? -1 : 1;
  return (metric, best) => {
    if (best === null) return true;
    const limit = threshold_mode === "rel" ? best * (1 + sign * threshold) : best + sign * threshold;
    return mode === "min" ? metric < limit : metric > limit;
  };
}
