// Scores by the original's own code (knoveleng/open-rs at 2889c47): test/golden/rewards.py.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createReward, type RewardInput, type RewardOptions, type Verdict } from "../../src/rewards/index.js";

interface Golden {
  inputs: { completion: string; gold: string; verdict: Verdict }[];
  rewards: { name: string; options: Partial<RewardOptions>; scores: number[] }[];
}

const path = join(import.meta.dirname, "../fixtures/rewards/golden.json");
const golden: Golden = JSON.parse(readFileSync(path, "utf8"));
const verdicts = new Map<RewardInput, Verdict>();
const batch = golden.inputs.map(({ completion, gold, verdict }) => {
  const input = { completion, completionIds: [], prompt: "3+4?", row: { solution: gold }, truncated: false };
  verdicts.set(input, verdict);
  return input;
});

describe.each(golden.rewards)("$name $options", ({ name, options, scores }) => {
  it("scores as the original", async () => {
    const reward = createReward(name, options, (input) => verdicts.get(input) ?? "wrong");
    const ours = await reward.score(batch);
    expect(ours).toHaveLength(scores.length);
    for (const [i, score] of ours.entries()) {
      expect(score, JSON.stringify(golden.inputs[i].completion.slice(0, 80))).toBeCloseTo(scores[i], 12);
    }
  });
});
