import type { Reward } from "../rewards/index.js";
import type { CompletionRow } from "../run/completions.js";
import type { Rollout } from "./rollout.js";

/** What rewards told log_extra stands under a name of its own, beside the rewards. */
const extraOf = (columns: Record<string, unknown>) => (Object.keys(columns).length === 0 ? {} : { extra: columns });

/** Every completion of a step as its file shows it: what was asked, what came, each reward, the advantage. */
export function completionRows(rollout: Rollout, rewards: readonly Reward[], step: number): CompletionRow[] {
  const G = rollout.groups[0]?.completions.length ?? 0;
  return rollout.groups.flatMap((group, g) =>
    group.completions.map((completion, i) => ({
      step,
      row: group.prompt.index,
      prompt: group.prompt.text,
      completion: completion.text,
      tokens: completion.ids.length,
      stop_reason: completion.stopReason,
      rewards: Object.fromEntries(rewards.map((reward, f) => [reward.name, group.scores[i]![f]!])),
      advantage: rollout.advantages.advantages[g * G + i]!,
      ...extraOf(group.extras[i]!),
    })),
  );
}
