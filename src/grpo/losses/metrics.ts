/** TRL's metrics of a loss from its per-token numbers. */
import { isPerSequence } from "./correction.js";
import { max, mean, min, type Stats } from "./stats.js";
import type { LossOptions } from "./types.js";

/** One number per token; flags are 0 or 1. */
export interface TokenRows {
  low?: number[];
  high?: number[];
  kl?: number[];
  /** The correction's ratio, and |log π_old − log π_sampler|. */
  correction?: number[];
  difference?: number[];
}

/** `chunks` hold consecutive tokens; `lengths` are the tokens per sequence, 0 for those masked out. */
export function metricsOf(
  chunks: readonly TokenRows[],
  entropy: readonly number[],
  lengths: readonly number[],
  options: LossOptions,
): Stats {
  const row = (name: keyof TokenRows): number[] => chunks.flatMap((chunk) => chunk[name] ?? []);
  const stats: Stats = { entropy: mean(entropy), ...clipStats(row("low"), row("high"), lengths, options) };
  if (options.beta !== 0) stats.kl = mean(row("kl"));
  if (options.vllm_importance_sampling_correction) {
    Object.assign(stats, samplingStats(row("difference"), row("correction"), lengths, options));
  }
  return stats;
}

function clipStats(low: number[], high: number[], lengths: readonly number[], options: LossOptions): Stats {
  if (options.loss_type === "sapo") return {};
  if (options.loss_type === "cispo") return { cispo_clip_ratio: clipMean(high, lengths, options) };
  const region = low.map((flag, i) => Math.max(flag, high[i]!));
  return {
    "clip_ratio/low_mean": clipMean(low, lengths, options),
    "clip_ratio/high_mean": clipMean(high, lengths, options),
    "clip_ratio/region_mean": clipMean(region, lengths, options),
    "clip_ratio/low_min": min(clipShares(low, lengths, options)),
    "clip_ratio/high_max": max(clipShares(high, lengths, options)),
  };
}

/** Over tokens, or over sequences where a sequence has one ratio. */
function clipMean(flags: number[], lengths: readonly number[], options: LossOptions) {
  return mean(options.importance_sampling_level === "token" ? flags : clipShares(flags, lengths, options));
}

/** Each sequence's share of clipped tokens. One masked out has none, and counts only where a sequence has one ratio (then as 1, unclipped). */
function clipShares(flags: number[], lengths: readonly number[], options: LossOptions): number[] {
  const counted = options.importance_sampling_level === "token" ? lengths.filter((n) => n > 0) : lengths;
  return overSequences(counted, (start, length) => {
    let clipped = 0;
    for (let i = start; i < start + length; i++) clipped += flags[i]!;
    return clipped / Math.max(1, length);
  });
}

/** As TRL: a sequence masked out has ratio 1. Without any token the least, mean and greatest are 0. */
function samplingStats(difference: number[], ratio: number[], lengths: readonly number[], options: LossOptions): Stats {
  const ratios = isPerSequence(options)
    ? overSequences(lengths, (start, length) => (length > 0 ? ratio[start]! : 1))
    : ratio;
  return {
    "sampling/sampling_logp_difference/mean": mean(difference),
    "sampling/sampling_logp_difference/max": max(difference),
    "sampling/importance_sampling_ratio/min": min(ratios),
    "sampling/importance_sampling_ratio/mean": mean(ratios),
    "sampling/importance_sampling_ratio/max": max(ratios),
  };
}

function overSequences(lengths: readonly number[], visit: (start: number, length: number) => number): number[] {
  let start = 0;
  return lengths.map((length) => {
    const value = visit(start, length);
    start += length;
    return value;
  });
}
