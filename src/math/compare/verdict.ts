import type { Budget } from "../limits.js";
import type { Options } from "../options.js";

/** `undecided`: a limit was passed or neither equality nor difference could be shown. Counts as not correct. */
export type Outcome = "equal" | "different" | "undecided";

/** An outcome with the rule that decided it. */
export interface Verdict {
  outcome: Outcome;
  rule: string;
}

/** What a comparison carries along. */
export interface Context {
  options: Options;
  budget: Budget;
}

export const equal = (rule: string): Verdict => ({ outcome: "equal", rule });
export const different = (rule: string): Verdict => ({ outcome: "different", rule });
export const undecided = (rule: string): Verdict => ({ outcome: "undecided", rule });
export const isEqual = (verdict: Verdict): boolean => verdict.outcome === "equal";

/** All must be equal: the first that is not decides. */
export function every<T>(items: readonly T[], compare: (item: T, index: number) => Verdict, rule: string): Verdict {
  for (let i = 0; i < items.length; i++) {
    const verdict = compare(items[i]!, i);
    if (!isEqual(verdict)) return { outcome: verdict.outcome, rule: `${rule}: ${verdict.rule}` };
  }
  return equal(rule);
}
