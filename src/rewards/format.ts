import { occurrences } from "./text.js";
import { perCompletion, type Reward } from "./types.js";

/** 1 if the completion holds exactly one "\n</think>\n", else 0: the opening tag is part of the prompt. (Open-RS) */
export function createFormat(): Reward {
  return perCompletion("format", ({ completion }) => (occurrences(completion, "\n</think>\n") === 1 ? 1 : 0));
}
