import { occurrences } from "./text.js";
import { perCompletion, type Reward } from "./types.js";

const TAGS = ["<think>\n", "\n</think>\n"];

/** ½ for exactly one "<think>\n" + ½ for exactly one "\n</think>\n". (Open-RS) */
export function createTagCount(): Reward {
  return perCompletion(
    "tag_count",
    ({ completion }) => 0.5 * TAGS.filter((tag) => occurrences(completion, tag) === 1).length,
  );
}
