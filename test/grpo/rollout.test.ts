/** Waiting for rewards: until they have come, or the run is to stop; nothing of a step stays behind. */
import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import type { Completion } from "../../src/engine/index.js";
import { Interrupted, type RolloutContext, sampleGroups } from "../../src/grpo/rollout.js";
import { resolveGrpoRecipe } from "../../src/recipe/index.js";
import type { Reward } from "../../src/rewards/index.js";

const base = { model_name_or_path: "/a/model", dataset_name: "/a/train.jsonl", reward_funcs: ["format"] };
const { recipe } = resolveGrpoRecipe(base);
const prompt = { ids: [1], text: "x", source: "x", row: {}, index: 0 };
const completion: Completion = { ids: [2], text: "y", stopReason: "stop", logprobs: [0], samplingLogprobs: [0] };

/** Samples one completion and scores it by `score`. */
function scored(score: Reward["score"], stopped: AbortSignal) {
  const engine = { generate: async () => [[completion]] } as unknown as RolloutContext["engine"];
  const rewards = [{ name: "own", needsGold: false, score }];
  return sampleGroups({ engine, rewards, recipe, stopped } as unknown as RolloutContext, [prompt], { n: 1 });
}

test("a step's scores are not kept by what would have stopped it", async () => {
  const { signal } = new AbortController();
  const { groups } = await scored(async () => [1], signal);
  expect(groups[0]!.scores).toEqual([[1]]);
  await expect(scored(() => Promise.reject(new Error("no judge")), signal)).rejects.toThrow("no judge");
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("rewards are not waited for once the run is to stop, whatever comes of them", async () => {
  const stop = new AbortController();
  let fail = (_: Error) => {};
  const late = new Promise<number[]>((_, reject) => {
    fail = reject;
  });
  const waiting = scored(() => late, stop.signal);
  setImmediate(() => stop.abort());
  await expect(waiting).rejects.toThrow(Interrupted);
  fail(new Error("too late"));
  await expect(scored(() => new Promise(() => {}), stop.signal)).rejects.toThrow(Interrupted);
});
