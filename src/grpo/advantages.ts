/**
 * Rewards → advantages: how much better a completion did than the others of its group (GRPO, arXiv 2402.03300, section 4.1.2).
 * Plain numbers, TRL's rules: null (a reward function that did not apply) does not count; a completion that no function scored has no
 * advantage and is left out of its group's mean; standard deviations divide by n − 1.
 */
import { assert } from "../errors.js";

export interface AdvantageOptions {
  /** Completions per prompt, G: consecutive rows are one group. */
  num_generations: number;
  /** One per reward function; null: all 1. */
  reward_weights: readonly number[] | null;
  scale_rewards: "group" | "batch" | "none";
  /** normalize_then_sum: each function's own baseline and deviation in the group (GDPO), then those of the sum in the batch. Absent: the sum's. */
  multi_objective_aggregation?: "sum_then_normalize" | "normalize_then_sum";
}

export interface Advantages {
  /** Weighted sum of each completion's rewards; NaN if none was given. */
  rewards: number[];
  advantages: number[];
  /** Per completion: whether the deviation it would be divided by is 0, so that it teaches nothing. */
  zeroStd: boolean[];
}

/** Keeps the division finite where a group's rewards are equal. */
const EPSILON = 1e-4;
/** Far above what float64 rounds, below any difference that is meant. */
const ROUNDING = 1e-12;

/** `scores`: per completion one number or null per reward function. */
export function computeAdvantages(
  scores: readonly (readonly (number | null)[])[],
  options: AdvantageOptions,
): Advantages {
  const size = options.num_generations;
  assert(scores.length % size === 0, `${scores.length} completions are not groups of ${size}`);
  const rewards = scores.map((row) => weightedSum(row, options.reward_weights));
  if (options.multi_objective_aggregation === "normalize_then_sum")
    return { rewards, ...normalizeThenSum(scores, options) };
  const batchStd = spread(rewards);
  const groups = Array.from({ length: scores.length / size }, (_, g) => rewards.slice(g * size, (g + 1) * size));
  const judged = groups.flatMap((group) => {
    const std = options.scale_rewards === "batch" ? batchStd : spread(group);
    const mean = nanMean(group);
    const divisor = options.scale_rewards === "none" ? 1 : std + EPSILON;
    const equal = areEqual(group);
    const zero = Math.abs(std) <= 1e-8 || (equal && options.scale_rewards !== "batch") || areEqual(rewards);
    return group.map((reward) => ({ advantage: equal ? 0 : orZero((reward - mean) / divisor), zero }));
  });
  return { rewards, advantages: judged.map((j) => j.advantage), zeroStd: judged.map((j) => j.zero) };
}

/** GDPO: rewards on different scales weigh alike, and a completion good in one way is not taken for one good in another. */
function normalizeThenSum(
  scores: readonly (readonly (number | null)[])[],
  options: AdvantageOptions,
): Pick<Advantages, "advantages" | "zeroStd"> {
  const size = options.num_generations;
  const relative = scores.map((row) => row.map(() => Number.NaN));
  for (let start = 0; start < scores.length; start += size) {
    const group = scores.slice(start, start + size);
    for (let f = 0; f < (scores[0]?.length ?? 0); f++) {
      const column = group.map((row) => row[f] ?? Number.NaN);
      const [mean, divisor, equal] = [nanMean(column), spread(column) + EPSILON, areEqual(column)];
      column.forEach((score, i) => {
        relative[start + i]![f] = equal ? 0 : (score - mean) / divisor;
      });
    }
  }
  // A completion that no function scored stays without; one whose scores have no deviation counts as average.
  const sums = relative.map((row, i) =>
    isUnscored(scores[i]!) ? Number.NaN : weightedSum(row.map(orZero), options.reward_weights),
  );
  const [mean, std, equal] = [nanMean(sums), spread(sums), areEqual(sums)];
  return {
    advantages: sums.map((sum) => (equal ? 0 : orZero((sum - mean) / (std + EPSILON)))),
    zeroStd: sums.map(() => equal || Math.abs(std) <= 1e-8),
  };
}

const isUnscored = (row: readonly (number | null)[]): boolean =>
  row.every((score) => score === null || Number.isNaN(score));

/** TRL's reward metrics; NaN where there is nothing to average. `names` as the recipe's reward functions. */
export function rewardMetrics(
  scores: readonly (readonly (number | null)[])[],
  names: readonly string[],
  { rewards, zeroStd }: Advantages,
): Record<string, number> {
  const metrics: Record<string, number> = {};
  names.forEach((name, i) => {
    const column = scores.map((row) => row[i] ?? Number.NaN);
    metrics[`rewards/${name}/mean`] = nanMean(column);
    metrics[`rewards/${name}/std`] = standardDeviation(column);
  });
  metrics.reward = nanMean(rewards);
  metrics.reward_std = standardDeviation(rewards);
  metrics.frac_reward_zero_std = zeroStd.filter(Boolean).length / zeroStd.length;
  return metrics;
}

/**
 * Whether numbers differ by no more than the rounding of what they are sums of. The mean of eight times 0.1 is not 0.1: without this, a
 * group that teaches nothing would be learnt from for its noise.
 */
function areEqual(numbers: readonly number[]): boolean {
  const known = numbers.filter((x) => !Number.isNaN(x));
  if (known.length < 2) return false;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  return high - low <= ROUNDING * Math.max(Math.abs(low), Math.abs(high));
}

/** A single reward (num_generations_eval: 1) does not differ from itself. */
const spread = (rewards: readonly number[]): number => (rewards.length === 1 ? 0 : standardDeviation(rewards));

function weightedSum(row: readonly (number | null)[], weights: readonly number[] | null): number {
  assert(
    weights === null || weights.length === row.length,
    `${weights?.length} reward_weights for ${row.length} rewards`,
  );
  if (isUnscored(row)) return Number.NaN;
  return row.reduce<number>((total, score, i) => total + orZero(score ?? Number.NaN) * (weights?.[i] ?? 1), 0);
}

const orZero = (x: number): number => (Number.isNaN(x) ? 0 : x);

/** The mean of the numbers that are not NaN; NaN if there is none. */
export function nanMean(numbers: readonly number[]): number {
  const known = numbers.filter((x) => !Number.isNaN(x));
  return known.reduce((a, b) => a + b, 0) / known.length;
}

/** With n − 1 (Bessel); NaN below two numbers. NaN entries do not count. */
export function standardDeviation(numbers: readonly number[]): number {
  const known = numbers.filter((x) => !Number.isNaN(x));
  if (known.length < 2) return Number.NaN;
  const mean = nanMean(known);
  return Math.sqrt(known.reduce((total, x) => total + (x - mean) ** 2, 0) / (known.length - 1));
}
