/** Text as Python sees it, so that scores equal the original's on any Unicode. */
import type { LengthUnit } from "./options.js";
import type { RewardInput } from "./types.js";

/** Python's `len(text)`: Unicode code points (JavaScript's `length` counts a 🚀 twice). */
export function characterCount(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** A completion's length in the given unit. */
export function completionLength(input: RewardInput, unit: LengthUnit): number {
  return unit === "tokens" ? input.completionIds.length : characterCount(input.completion);
}

/** Python's `text.count(part)`: occurrences that do not overlap. */
export function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}

// str.split() also separates at U+001C…U+001F and U+0085, which \s lacks, and not at U+FEFF, which \s has.
const PYTHON_CONTROLS = String.fromCharCode(0x1c, 0x1d, 0x1e, 0x1f, 0x85);
const PYTHON_SPACE = new RegExp(`(?:[${PYTHON_CONTROLS}]|(?!\\uFEFF)\\s)+`, "u");

/** Python's `text.split()`. */
export function words(text: string): string[] {
  return text.split(PYTHON_SPACE).filter((word) => word !== "");
}
