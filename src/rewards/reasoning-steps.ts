import { perCompletion, type Reward } from "./types.js";

// `^` is the start of the completion, not of a line: the original compiles it without MULTILINE, so of a numbered list
// only a first line "1." counts. \p{Nd} because Python's \d matches the digits of every script.
const STEP = /(Step \p{Nd}+:|^\p{Nd}+\.|\n-|\n\*|First,|Second,|Next,|Finally,)/gu;
const ENOUGH = 3;

/** min(1, matches / 3) of "Step 1:", a first "1.", lines that begin with "-" or "*", "First,", "Second,", "Next,", "Finally,". */
export function createReasoningSteps(): Reward {
  return perCompletion("reasoning_steps", ({ completion }) =>
    Math.min(1, [...completion.matchAll(STEP)].length / ENOUGH),
  );
}
