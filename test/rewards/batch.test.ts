/** Rewards over the whole batch, and log_metric and log_extra: from a file, and as functions of a program. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, test } from "vitest";
import {
  createReward,
  loadRewards,
  type Reward,
  type RewardInput,
  RewardLog,
  type RewardOptions,
  type UserBatchReward,
} from "../../src/rewards/index.js";

const dir = join(import.meta.dirname, "../fixtures/rewards/user");
const inputs = ["a", "b", "b", "cc"].map((completion, index): RewardInput => {
  const row = { level: index, completions: "a column that is hidden" };
  return { completion, completionIds: Array(index + 1).fill(7), prompt: "1+1?", row, truncated: index === 3, index };
});

const opened: Reward[] = [];
afterEach(async () => {
  for (const reward of opened.splice(0)) await reward.close?.();
});

async function open(name: string, options: Partial<RewardOptions> = {}): Promise<Reward> {
  const [reward] = await loadRewards([`batch.ts#${name}`], options, dir);
  opened.push(reward!);
  return reward!;
}

describe("a reward over the whole batch", () => {
  it("gets all completions of a sampling at once, with every column as a list, and logs for them", async () => {
    const log = new RewardLog(inputs.length);
    expect(await (await open("rare")).score(inputs, undefined, log)).toEqual([1, 0.5, 0.5, 1]);
    expect(log.extras).toEqual([0, 1, 2, 3].map((levels) => ({ levels })));
    expect([...log.metrics]).toEqual([["distinct", [3]]]);
  });

  it("may wait, and skip some", async () => {
    expect(await (await open("shapes")).score(inputs)).toEqual([1.04, 2.04, 3.04, null]);
  });

  it("is a function of a program as well", async () => {
    const longest: UserBatchReward = ({ completions, log_extra }) => {
      log_extra("of", completions);
      return completions.map((text) => text.length / Math.max(...completions.map((other) => other.length)));
    };
    longest.batch = true;
    const [reward] = await loadRewards(["fn:longest"], {}, dir, { longest });
    const log = new RewardLog(inputs.length);
    expect(await reward!.score(inputs, undefined, log)).toEqual([0.5, 0.5, 0.5, 1]);
    expect(log.extras[3]).toEqual({ of: "cc" });
  });

  it.each([
    ["short", /it returned 3 scores for 4 completions/],
    ["text", /its score of completion 2 of 4 is NaN; give a finite number/],
    ["number", /it returned 1; return one score per completion/],
    ["throws", /Error: no judge \(at throws .*batch\.ts:/],
    ["badExtra", /log_extra\("x", …\): 1 values for 4 completions/],
    ["badMetric", /log_metric\("x", NaN\): give a finite number/],
    ["unmarked", /it returned a list; .* NAME\.batch = true/],
  ])("%s: says what is wrong, or scores null when the recipe says so", async (name, message) => {
    const strict = await open(name);
    await expect(strict.score(inputs)).rejects.toThrow(message);
    const lenient = await open(name, { reward_on_error: "null" });
    expect(await lenient.score(inputs)).toEqual([null, null, null, null]);
  });
});

it("what a reward about one completion logs is in the completions' order, whatever it answers first", async () => {
  const log = new RewardLog(inputs.length);
  await (await open("slow")).score(inputs, undefined, log);
  expect([...log.metrics]).toEqual([["length", [1, 1, 1, 2]]]);
  expect(log.extras.map(({ seen }) => seen)).toEqual(inputs.map(({ completion }) => ({ completion })));
});

const goldens: { name: string; options: Partial<RewardOptions>; lengths: number[]; scores: number[] }[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "../fixtures/rewards/trl.json"), "utf8"),
);

test.each(goldens)("$name $options: TRL's scores", async ({ name, options, lengths, scores }) => {
  const ofLength = lengths.map((length) => ({ ...inputs[0]!, completionIds: Array<number>(length).fill(7) }));
  const ours = await createReward(name, options).score(ofLength);
  for (const [i, score] of ours.entries()) expect(score).toBeCloseTo(scores[i]!, 12);
});
