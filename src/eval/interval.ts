/** 97.5 % point of the normal distribution. */
const Z = 1.959964;

export interface Interval {
  /** The share itself, 0 to 1. */
  share: number;
  low: number;
  high: number;
}

/** A share with its 95 % interval by Wilson's score (1927), which stays inside 0 … 1 and holds for shares near either end. */
export function wilson(successes: number, trials: number): Interval {
  if (trials === 0) return { share: Number.NaN, low: 0, high: 1 };
  const p = successes / trials;
  const centre = (p + (Z * Z) / (2 * trials)) / (1 + (Z * Z) / trials);
  const half = (Z / (1 + (Z * Z) / trials)) * Math.sqrt((p * (1 - p)) / trials + (Z * Z) / (4 * trials * trials));
  return { share: p, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
