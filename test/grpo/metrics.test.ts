/** Metrics of a sampling are TRL's (golden values from its own code, test/golden/make_losses.py). */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { Completion } from "../../src/engine/index.js";
import { type AdvantageOptions, computeAdvantages } from "../../src/grpo/advantages.js";
import { rolloutMetrics, tokensOf } from "../../src/grpo/metrics.js";
import type { Rollout } from "../../src/grpo/rollout.js";

const read = (name: string) => JSON.parse(readFileSync(new URL(`../fixtures/losses/${name}`, import.meta.url), "utf8"));

interface Sequence {
  logps: number[];
  finished: boolean;
  reward: number;
}

interface CompletionsCase {
  batch: string;
  prompt_length: number;
  metrics: Record<string, number>;
}

interface RewardsCase extends AdvantageOptions {
  name: string;
  rewards: (number | null)[][];
  names: string[];
  metrics: Record<string, number | null>;
}

const { batches, completions } = read("losses.json") as {
  batches: Record<string, Sequence[]>;
  completions: CompletionsCase[];
};
const { cases } = read("advantages.json") as { cases: RewardsCase[] };

const completionOf = (length: number, finished: boolean): Completion => ({
  ids: Array<number>(length).fill(9),
  text: "",
  samplingLogprobs: [],
  logprobs: [],
  stopReason: finished ? "eos" : "length",
});

const OPTIONS: AdvantageOptions = {
  num_generations: 4,
  reward_weights: null,
  scale_rewards: "group",
  multi_objective_aggregation: "sum_then_normalize",
};

function rolloutOf(
  all: readonly Completion[],
  scores: (number | null)[][],
  options = OPTIONS,
  promptLength = 3,
): Rollout {
  const G = options.num_generations;
  const ids = Array<number>(promptLength).fill(5);
  const groups = Array.from({ length: all.length / G }, (_, g) => ({
    prompt: { index: g, source: "", text: "", ids, row: {} },
    completions: all.slice(g * G, (g + 1) * G),
    scores: scores.slice(g * G, (g + 1) * G),
    extras: Array.from({ length: G }, () => ({})),
  }));
  return {
    groups,
    advantages: computeAdvantages(scores, options),
    dynamic: false,
    rounds: 1,
    replaced: 0,
    logged: {},
  };
}

it.each(completions)("completions/* and num_tokens of batch $batch", ({ batch, prompt_length, metrics }) => {
  const sequences = batches[batch]!;
  const rollout = rolloutOf(
    sequences.map(({ logps, finished }) => completionOf(logps.length, finished)),
    sequences.map(({ reward }) => [reward]),
    OPTIONS,
    prompt_length,
  );
  const { num_tokens, ...lengths } = metrics;
  const ours = rolloutMetrics(rollout, ["a"]);
  expect(tokensOf(rollout)).toBe(num_tokens);
  expect(Object.keys(ours).filter((name) => name.startsWith("completions/"))).toHaveLength(Object.keys(lengths).length);
  // TRL averages lengths in float32.
  for (const [name, value] of Object.entries(lengths)) expect(ours[name], name).toBeCloseTo(value, 6);
});

it.each(cases)("rewards/*, reward, reward_std and frac_reward_zero_std: $name", (golden) => {
  const { rewards, names, metrics, ...options } = golden;
  const rollout = rolloutOf(
    rewards.map(() => completionOf(2, true)),
    rewards,
    options,
  );
  const ours = rolloutMetrics(rollout, names);
  expect(
    Object.keys(ours)
      .filter((name) => name.includes("reward"))
      .sort(),
  ).toEqual(Object.keys(metrics).sort());
  for (const [name, value] of Object.entries(metrics)) {
    if (value === null) expect(ours[name], name).toBeNaN();
    else expect(ours[name], name).toBeCloseTo(value, 9);
  }
});

it("a single completion per prompt, as in evaluation: no spread, as in TRL", () => {
  const options = { ...OPTIONS, num_generations: 1 };
  const rollout = rolloutOf([completionOf(2, true), completionOf(4, true)], [[1], [0]], options);
  expect(rolloutMetrics(rollout, ["a"])).toMatchObject({
    reward: 0.5,
    "rewards/a/std": Math.SQRT1_2,
    frac_reward_zero_std: 1,
  });
  expect(rollout.advantages.advantages).toEqual([0, 0]);
});

it("what rewards log stands beside the run's own metrics, whose names it may not take", () => {
  const rollout = rolloutOf(
    [completionOf(2, true), completionOf(3, true), completionOf(2, true), completionOf(2, true)],
    [[1], [0], [0], [1]],
  );
  expect(rolloutMetrics({ ...rollout, logged: { distinct: 2.5 } }, ["a"])).toMatchObject({
    distinct: 2.5,
    reward: 0.5,
  });
  for (const name of ["reward", "loss", "completions/mean_length"]) {
    const clash = () => rolloutMetrics({ ...rollout, logged: { [name]: 1 } }, ["a"]);
    expect(clash).toThrow(`log_metric("${name}", …): the run has a metric of that name`);
  }
});
