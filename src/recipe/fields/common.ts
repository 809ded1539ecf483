import { z } from "zod";

/** Building blocks of the recipe's fields. */
export const count = () => z.int().min(1);
export const share = () => z.number().min(0).max(1);
export const positive = () => z.number().gt(0);
export const nonNegative = () => z.number().min(0);
/** A number of steps or, below 1, a share of the run's. */
export const interval = () => z.union([count(), positive().lt(1)]);

/** A word list in which YAML 1.1's bare `no` (read as false) means "no". */
export function strategy<const T extends readonly ["no", ...string[]]>(words: T) {
  return z.union([z.enum(words), z.literal(false).transform((): T[number] => "no")]);
}
