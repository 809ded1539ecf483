import { UserError } from "../errors.js";
import { rewardMetrics } from "./advantages.js";
import type { Rollout } from "./rollout.js";

/** TRL's metrics of one sampling: completions/*, rewards/*, reward, reward_std, frac_reward_zero_std. */
export function rolloutMetrics(rollout: Rollout, rewardNames: readonly string[]): Record<string, number> {
  const scores = rollout.groups.flatMap((group) => group.scores);
  const completions = rollout.groups.flatMap((group) => group.completions);
  const lengths = completions.map((completion) => completion.ids.length);
  const ended = completions.filter((c) => c.stopReason !== "length").map((c) => c.ids.length);
  const own = {
    ...lengthMetrics("completions/", "length", lengths),
    ...lengthMetrics("completions/", "terminated_length", ended.length > 0 ? ended : [0]),
    "completions/clipped_ratio": 1 - ended.length / completions.length,
    ...rewardMetrics(scores, rewardNames, rollout.advantages),
    ...(rollout.dynamic ? dynamicMetrics(rollout) : {}),
  };
  refuseOwnNames(Object.keys(rollout.logged), own);
  return { ...own, ...rollout.logged };
}

/** What a step says beside its sampling. */
const OF_A_STEP: ReadonlySet<string> = new Set(
  "step epoch num_tokens loss policy_loss entropy entropy_coef kl learning_rate grad_norm step_time".split(" "),
);

function refuseOwnNames(names: readonly string[], own: Readonly<Record<string, number>>): void {
  const taken = names.find((name) => name in own || OF_A_STEP.has(name) || name.startsWith("time/"));
  if (taken === undefined) return;
  throw new UserError(`log_metric("${taken}", …): the run has a metric of that name, choose another`);
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

const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;

/** Of several samplings in one step, as TRL: the mean of each metric; what counts, or takes time, adds up. */
export function mergeMetrics(samplings: readonly Record<string, number>[]): Record<string, number> {
  const names = [...new Set(samplings.flatMap((metrics) => Object.keys(metrics)))];
  return Object.fromEntries(
    names.map((name) => {
      const values = samplings.map((metrics) => metrics[name] ?? Number.NaN).filter((value) => !Number.isNaN(value));
      const sum = values.reduce((a, b) => a + b, 0);
      return [name, /^(time|dynamic_sampling)\//.test(name) ? sum : sum / values.length];
    }),
  );
}
