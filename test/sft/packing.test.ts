import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EpochOrder } from "../../src/sft/order.js";
import { packBestFit } from "../../src/sft/packing.js";

interface Golden {
  cases: { capacity: number; lengths: number[]; bins: number[][] }[];
}
const golden: Golden = JSON.parse(readFileSync(new URL("../fixtures/sft/packing.json", import.meta.url), "utf8"));

const sum = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0);
const byFirst = (a: readonly number[], b: readonly number[]) => {
  const at = a.findIndex((x, i) => x !== b[i]);
  return at < 0 ? 0 : (b[at] ?? 0) - a[at]!;
};

describe("packing", () => {
  test.each(golden.cases)("into rows of $capacity as TRL 1.13 packs", ({ capacity, lengths, bins }) => {
    const ours = packBestFit(lengths, capacity).map((bin) => bin.map((i) => lengths[i]!).sort((a, b) => b - a));
    expect(ours.sort(byFirst)).toEqual(bins.sort(byFirst));
  });

  test("keeps every example once and overfills nothing", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 80 }), (lengths) => {
        const bins = packBestFit(lengths, 50);
        expect(bins.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
        for (const bin of bins) expect(sum(bin.map((i) => lengths[i]!))).toBeLessThanOrEqual(50);
      }),
    );
  });
});

describe("order", () => {
  const options = { size: 10, batch: 4, seed: 3, shuffle: true };
  const steps = (order: EpochOrder, from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => order.rows(from + i));

  test("every row once per epoch, the last step taking what is left, each epoch anew", () => {
    const order = new EpochOrder(options);
    expect(order.stepsPerEpoch).toBe(3);
    const epochs = [steps(order, 0, 3), steps(order, 3, 6)];
    for (const epoch of epochs) {
      expect(epoch.map((rows) => rows.length)).toEqual([4, 4, 2]);
      expect(epoch.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, i) => i));
    }
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect(order.epochAfter(3)).toBe(1);
  });

  test("is the same from any step on, another for another seed, and the file's without shuffling", () => {
    const whole = steps(new EpochOrder(options), 0, 7);
    expect(steps(new EpochOrder(options), 4, 7)).toEqual(whole.slice(4));
    expect(steps(new EpochOrder({ ...options, seed: 4 }), 0, 3)).not.toEqual(whole.slice(0, 3));
    expect(new EpochOrder({ ...options, shuffle: false }).rows(4)).toEqual([4, 5, 6, 7]);
  });
});
