import { z } from "zod";

/**
 * Building blocks of the recipe's fields. Every number has both ends of its range (test/recipe/ranges.test.ts): a typing error of some
 * zeros is told before anything is allocated for it. Ends are where nobody can mean a value, not where it is unwise.
 */
const MANY = 1e9;

export const count = (most = MANY) => z.int().min(1).max(most);
/** From 0. */
export const whole = (most = MANY) => z.int().min(0).max(most);
export const share = () => z.number().min(0).max(1);
export const positive = (most = MANY) => z.number().gt(0).max(most);
export const nonNegative = (most = MANY) => z.number().min(0).max(most);
/** Of either sign. */
export const anyNumber = (most = 1e6) => z.number().min(-most).max(most);
/** Below the least, 1 / T leaves no log-probability finite. */
export const temperatureAbove0 = () => z.number().min(0.001).max(1000);
/** Numbers of sequences and of what takes them: their products have a bound of their own (check.ts). */
export const batch = () => count(65_536);
/** Tokens of one sequence. */
export const tokens = () => count(2 ** 20);
/** A number of steps or, below 1, a share of the run's. */
export const interval = () => z.union([count(), z.number().gt(0).lt(1)]);

/** A word list in which YAML 1.1's bare `no` (read as false) means "no". */
export function strategy<const T extends readonly ["no", ...string[]]>(words: T) {
  return z.union([z.enum(words), z.literal(false).transform((): T[number] => "no")]);
}
