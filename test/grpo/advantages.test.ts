/** Advantages and reward metrics are TRL's (golden values from its own code, test/golden/make_losses.py). */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { type AdvantageOptions, computeAdvantages, rewardMetrics } from "../../src/grpo/advantages.js";

interface Case extends AdvantageOptions {
  name: string;
  rewards: (number | null)[][];
  names: string[];
  advantages: number[];
  metrics: Record<string, number | null>;
}

const { cases } = JSON.parse(readFileSync(new URL("../fixtures/losses/advantages.json", import.meta.url), "utf8")) as {
  cases: Case[];
};

it.each(cases)("$name", ({ rewards, names, advantages, metrics, ...options }) => {
  const ours = computeAdvantages(rewards, options);
  ours.advantages.forEach((advantage, i) => {
    expect(advantage).toBeCloseTo(advantages[i]!, 9);
  });
  const measured = rewardMetrics(rewards, names, ours);
  expect(Object.keys(measured).sort()).toEqual(Object.keys(metrics).sort());
  for (const [name, value] of Object.entries(metrics)) {
    if (value === null) expect(measured[name], name).toBeNaN();
    else expect(measured[name], name).toBeCloseTo(value, 9);
  }
});

it("a group of equal rewards teaches nothing", () => {
  const { advantages, zeroStd } = computeAdvantages([[1], [1], [0], [1]], {
    num_generations: 2,
    reward_weights: null,
    scale_rewards: "group",
    multi_objective_aggregation: "sum_then_normalize",
  });
  expect(advantages.slice(0, 2)).toEqual([0, 0]);
  expect(zeroStd).toEqual([true, true, false, false]);
});

it.each([
  ["0.1 eight times", Array<number>(8).fill(0.1)],
  ["sums in another order", [0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1, 0.6, 0.6]],
  ["large ones", [1e9 + 0.1, 1e9 + 0.1, 1e9 + 0.1, 1e9 + 0.1 + 1e-7]],
])("rewards that are equal but for rounding are equal: %s", (_name, rewards) => {
  const group = { num_generations: rewards.length, reward_weights: null };
  for (const scale_rewards of ["group", "none", "batch"] as const) {
    const judged = computeAdvantages(
      rewards.map((reward) => [reward]),
      { ...group, scale_rewards },
    );
    expect(judged.advantages).toEqual(rewards.map(() => 0));
    expect(judged.zeroStd).toEqual(rewards.map(() => true));
  }
  const multi_objective_aggregation = "normalize_then_sum";
  const options = { ...group, scale_rewards: "group", multi_objective_aggregation } as const;
  const judged = computeAdvantages(
    rewards.map((reward) => [reward, 3]),
    options,
  );
  expect(judged.advantages).toEqual(rewards.map(() => 0));
});

it("small differences are differences", () => {
  const options = { num_generations: 2, reward_weights: null, scale_rewards: "none" } as const;
  expect(computeAdvantages([[1], [1 + 1e-6]], options).advantages[1]).toBeCloseTo(5e-7, 12);
  expect(computeAdvantages([[0], [1e-10]], options).advantages[1]).toBeCloseTo(5e-11, 15);
});

it("incomplete groups and missing weights are broken invariants", () => {
  const options: AdvantageOptions = {
    num_generations: 2,
    reward_weights: [1],
    scale_rewards: "group",
    multi_objective_aggregation: "sum_then_normalize",
  };
  expect(() => computeAdvantages([[1]], options)).toThrow(/1 completions are not groups of 2/);
  expect(() =>
    computeAdvantages(
      [
        [1, 2],
        [1, 2],
      ],
      options,
    ),
  ).toThrow(/1 reward_weights for 2 rewards/);
});
