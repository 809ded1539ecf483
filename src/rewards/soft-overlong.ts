import { UserError } from "../errors.js";
import type { RewardOptions } from "./options.js";
import { perCompletion, type Reward } from "./types.js";

/**
 * 0 up to max_completion_len − soft_punish_cache tokens, from there down to −1 at max_completion_len, and −1 beyond: a completion that
 * nearly did not end costs a little. (DAPO, arXiv 2503.14476, equation 13; TRL's get_soft_overlong_punishment)
 */
export function createSoftOverlongPunishment(
  options: Pick<RewardOptions, "max_completion_len" | "soft_punish_cache">,
): Reward {
  const { max_completion_len: longest, soft_punish_cache: cache } = options;
  if (!(cache >= 0 && cache <= longest))
    throw new UserError(`soft_punish_cache is ${cache}: give 0 to max_completion_len ${longest}`);
  return perCompletion("soft_overlong_punishment", ({ completionIds: { length } }) => {
    if (length <= longest - cache) return 0;
    return length <= longest ? (longest - cache - length) / cache : -1;
  });
}
