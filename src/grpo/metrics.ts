import type { GrpoRecipe } from "../recipe/index.js";
import type { MetricsLog, MetricsRow } from "../run/metrics.js";
import { rewardMetrics } from "./advantages.js";
import type { Rollout } from "./rollout.js";

/** TRL's metrics of one sampling: completions/*, rewards/*, reward, reward_std, frac_reward_zero_std. */
export function rolloutMetrics(rollout: Rollout, rewardNames: readonly string[]): Record<string, number> {
  const scores = rollout.groups.flatMap((group) => group.scores);
  const completions = rollout.groups.flatMap((group) => group.completions);
  const lengths = completions.map((completion) => completion.ids.length);
  const ended = completions.filter((c) => c.stopReason !== "length").map((c) => c.ids.length);
  return {
    ...lengthMetrics("completions/", "length", lengths),
    ...lengthMetrics("completions/", "terminated_length", ended.length > 0 ? ended : [0]),
    "completions/clipped_ratio": 1 - ended.length / completions.length,
    ...rewardMetrics(scores, rewardNames, rollout.advantages),
    ...(rollout.rounds > 1 ? dynamicMetrics(rollout) : {}),
  };
}

function lengthMetrics(prefix: string, name: string, lengths: readonly number[]): Record<string, number> {
  return {
    [`${prefix}mean_${name}`]: mean(lengths),
    [`${prefix}min_${name}`]: Math.min(...lengths),
    [`${prefix}max_${name}`]: Math.max(...lengths),
  };
}

const dynamicMetrics = (rollout: Rollout) => ({
  "dynamic_sampling/rounds": rollout.rounds,
  "dynamic_sampling/replaced_groups": rollout.replaced,
});

/** Tokens sampled from and sampled, prompts counted once per completion, as TRL's num_tokens. */
export function tokensOf(rollout: Rollout): number {
  return rollout.groups
    .flatMap(({ prompt, completions }) => completions.map((c) => prompt.ids.length + c.ids.length))
    .reduce((a, b) => a + b, 0);
}

export const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;

/** Means over several rows of metrics, for logging_steps > 1: numbers are averaged, the latest step, epoch and counter stay. */
export function averageRows(rows: readonly MetricsRow[]): MetricsRow {
  const last = rows.at(-1)!;
  const latest = new Set(["step", "epoch", "num_tokens", "learning_rate", "timestamp", "elapsed"]);
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const averaged = keys.map((key): [string, MetricsRow[string]] => {
    const values = rows.map((row) => row[key]).filter((value) => typeof value === "number");
    return [key, latest.has(key) || values.length === 0 ? last[key]! : mean(values)];
  });
  return { ...Object.fromEntries(averaged), step: last.step };
}

/** Writes a row to metrics.jsonl every logging_steps steps, the mean of the steps since the last one. */
export class MetricsRows {
  constructor(
    private readonly log: MetricsLog,
    private readonly recipe: Pick<GrpoRecipe, "logging_steps" | "logging_first_step">,
    /** Steps since the last row; a checkpoint keeps them, so that a resumed run writes the same means. */
    public unlogged: MetricsRow[] = [],
  ) {}

  /** The newest step's own row. */
  last: MetricsRow = { step: 0 };

  add(row: MetricsRow): void {
    this.last = row;
    this.unlogged.push(row);
    const first = this.recipe.logging_first_step && row.step === 1;
    if (!first && row.step % this.recipe.logging_steps !== 0) return;
    this.log.append(averageRows(this.unlogged));
    this.unlogged = [];
  }
}
