import { describe, expect, it } from "vitest";
import { type Prompt, PromptSampler } from "../../src/data/index.js";
import { Pcg32, permutation } from "../../src/data/pcg32.js";
import { UserError } from "../../src/errors.js";

const prompts = (n: number, first = 0): Prompt[] =>
  Array.from({ length: n }, (_, i) => ({ index: i, source: "", text: `${i}`, ids: [first + i], row: {} }));
const indices = (list: Prompt[]): number[] => list.map((prompt) => prompt.index);

describe("PCG32", () => {
  it("gives the published output of seed 42, stream 54", () => {
    // pcg-c-basic, pcg32-demo: Round 1, 32-bit output.
    const random = new Pcg32(42n, 54n);
    const output = Array.from({ length: 6 }, () => random.nextUint32().toString(16));
    expect(output).toEqual(["a15c02b7", "7b47f409", "ba1d3330", "83d2f293", "bfa4784b", "cbed606e"]);
  });

  it("permutes without favour", () => {
    // 6 orders of 3 things, 6,000 draws: χ² with 5 degrees of freedom is under 20.5 with probability 0.999.
    const counts = new Map<string, number>();
    const random = new Pcg32(1n, 1n);
    for (let i = 0; i < 6000; i++) {
      const key = permutation(3, random).join("");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const chi2 = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(counts.size).toBe(6);
    expect(chi2).toBeLessThan(20.5);
  });
});

describe("PromptSampler", () => {
  it("gives every prompt once per epoch, in a new order each time", () => {
    const sampler = new PromptSampler(prompts(50), { seed: 42 });
    const epochs = Array.from({ length: 3 }, () => indices(sampler.next(50)));
    for (const epoch of epochs) expect([...epoch].sort((a, b) => a - b)).toEqual(indices(prompts(50)));
    expect(new Set(epochs.map(String)).size).toBe(3);
    expect(sampler.epoch).toBe(3);
  });

  it("depends on the seed, and on it alone", () => {
    const order = (seed: number): number[] => indices(new PromptSampler(prompts(20), { seed }).next(20));
    expect(order(1)).toEqual(order(1));
    expect(order(1)).not.toEqual(order(2));
  });

  it("keeps the given order when not shuffled", () => {
    expect(indices(new PromptSampler(prompts(3), { seed: 0, shuffle: false }).next(7))).toEqual([0, 1, 2, 0, 1, 2, 0]);
  });

  it.each([0, 1, 6, 7, 8, 14, 20, 21])("resumes exactly from a state of JSON after %i prompts", (taken) => {
    const whole = new PromptSampler(prompts(7), { seed: 3 });
    whole.next(taken);
    const state = JSON.parse(JSON.stringify(whole.state()));
    const resumed = new PromptSampler(prompts(7), { seed: 3 });
    resumed.next(2);
    resumed.restore(state);
    expect(resumed.state()).toEqual(whole.state());
    expect(resumed.epoch).toBe(whole.epoch);
    expect(indices(resumed.next(30))).toEqual(indices(whole.next(30)));
  });

  it.each<[string, Prompt[], number, RegExp]>([
    ["another number of prompts", prompts(8), 3, /size has changed since the checkpoint \(7 then, 8 now\)/],
    ["other prompts", prompts(7, 1), 3, /the prompts have changed/],
    ["another seed", prompts(7), 4, /seed has changed since the checkpoint \(3 then, 4 now\)/],
  ])("refuses to resume with %s", (_name, other, seed, message) => {
    const { ...state } = new PromptSampler(prompts(7), { seed: 3 }).state();
    const sampler = new PromptSampler(other, { seed });
    expect(() => sampler.restore(state)).toThrow(UserError);
    expect(() => sampler.restore(state)).toThrow(message);
  });

  it("refuses no prompts", () => {
    expect(() => new PromptSampler([], { seed: 0 })).toThrow(UserError);
  });
});
