/** Which sequences share a pass, and which of a pass share a block of attention. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planBlocks, planMicroBatches, planTreeBatches } from "../../src/passes/micro-batches.js";

const sum = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0);
const lengthsOf = (max: number, count: number) => fc.array(fc.integer({ min: 1, max }), { maxLength: count });

describe("micro-batches", () => {
  test.each<[number, number[], number[][]]>([
    [100, [10, 20, 30], [[0, 1, 2]]],
    [40, [10, 20, 30], [[0, 1], [2]]],
    [15, [10, 20, 30], [[0], [1], [2]]],
    [
      100,
      [25, 25, 25, 25, 25, 25],
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ],
    [10, [], []],
  ])("budget %i: %j → %j", (maxTokens, lengths, expected) => {
    expect(planMicroBatches(lengths, { maxTokens })).toEqual(expected);
  });

  test("hold every sequence once, neighbours in length, in the budget, and are few", () => {
    fc.assert(
      fc.property(lengthsOf(60, 40), fc.integer({ min: 1, max: 200 }), (lengths, maxTokens) => {
        const batches = planMicroBatches(lengths, { maxTokens });
        expect(batches.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
        const inOrder = batches.flat().map((i) => lengths[i]!);
        expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b));
        const tokens = batches.map((batch) => sum(batch.map((i) => lengths[i]!)));
        batches.forEach((batch, b) => {
          if (batch.length > 1) expect(tokens[b]).toBeLessThanOrEqual(maxTokens);
        });
        // Room that is left in a pass is less than the next sequence or than an even share asks for.
        const least = Math.ceil(sum(lengths) / maxTokens);
        expect(batches.length).toBeLessThanOrEqual(2 * least + lengths.filter((n) => n > maxTokens / 2).length);
      }),
    );
  });
});

describe("micro-batches of trees", () => {
  const tree = (shared: number, first: number, ...own: number[]) => ({
    shared,
    members: own.map((tokens, i) => ({ index: first + i, own: tokens })),
  });

  test.each<[number, ReturnType<typeof tree>[], number[][]]>([
    [100, [tree(10, 0, 5, 5, 5), tree(20, 3, 5)], [[0, 1, 2, 3]]],
    // 25 tokens and 25: one pass each, though all were 60 without sharing.
    [
      30,
      [tree(10, 0, 5, 5, 5), tree(10, 3, 5, 5, 5)],
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ],
    // Whole trees, though an even cut would go through the second one.
    [
      50,
      [tree(10, 0, 5, 10), tree(10, 2, 5, 10), tree(10, 4, 5, 10)],
      [
        [0, 1, 2, 3],
        [4, 5],
      ],
    ],
    // A tree that does not fit is cut, its root taken twice.
    [25, [tree(10, 0, 10, 10)], [[0], [1]]],
    [5, [tree(10, 0, 10)], [[0]]],
    [10, [], []],
  ])("budget %i", (maxTokens, trees, expected) => {
    expect(planTreeBatches(trees, { maxTokens })).toEqual(expected);
  });

  test("hold every sequence once, in order, within the budget", () => {
    const treeOf = fc.record({ shared: fc.integer({ min: 1, max: 30 }), own: lengthsOf(40, 8) });
    fc.assert(
      fc.property(fc.array(treeOf, { maxLength: 8 }), fc.integer({ min: 1, max: 200 }), (parts, maxTokens) => {
        let count = 0;
        const trees = parts.map(({ shared, own }) => {
          const made = tree(shared, count, ...own);
          count += own.length;
          return made;
        });
        const batches = planTreeBatches(trees, { maxTokens });
        expect(batches.flat()).toEqual(Array.from({ length: count }, (_, i) => i));
        for (const batch of batches) {
          const tokens = trees.map(({ shared, members }) => {
            const inside = members.filter(({ index }) => batch.includes(index));
            return inside.length === 0 ? 0 : shared + sum(inside.map(({ own }) => own));
          });
          if (batch.length > 1) expect(sum(tokens)).toBeLessThanOrEqual(maxTokens);
        }
      }),
    );
  });
});

describe("blocks", () => {
  const OVERHEAD = 7;
  const cost = (blocks: readonly (readonly number[])[], lengths: readonly number[]) =>
    sum(blocks.map((block) => block.length * Math.max(...block.map((i) => lengths[i]!)) + OVERHEAD));

  /** Every way to cut the sorted sequences. */
  function cheapest(lengths: readonly number[]): number {
    const sorted = [...lengths].sort((a, b) => a - b);
    const from = (start: number): number => {
      if (start === sorted.length) return 0;
      const ends = Array.from({ length: sorted.length - start }, (_, i) => start + i + 1);
      return Math.min(...ends.map((end) => (end - start) * sorted[end - 1]! + OVERHEAD + from(end)));
    };
    return from(0);
  }

  test("hold every sequence once and cost as little as any cut", () => {
    fc.assert(
      fc.property(lengthsOf(60, 10), (lengths) => {
        const blocks = planBlocks(lengths, OVERHEAD);
        expect(blocks.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
        expect(cost(blocks, lengths)).toBe(cheapest(lengths));
      }),
    );
  });

  test("without overhead nothing is padded", () => {
    const lengths = [5, 9, 5, 7];
    for (const block of planBlocks(lengths, 0)) expect(new Set(block.map((i) => lengths[i])).size).toBe(1);
  });
});
