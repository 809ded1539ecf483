import { describe, expect, test } from "vitest";
import type { Prefix } from "../../../src/engine/cache.js";
import { BlockPool } from "../../../src/engine/paged/blocks.js";
import { PagedCache, type PagedShape } from "../../../src/engine/paged/cache.js";
import { liveTensors, ops, scope, type Tensor } from "../../../src/torch/index.js";

describe("BlockPool", () => {
  test("gives each block to one, until its last user leaves", () => {
    const pool = new BlockPool();
    pool.grow(4);
    const taken = [pool.take(), pool.take(), pool.take()];
    expect([...taken].sort()).toEqual([1, 2, 3]);
    expect(() => pool.take()).toThrow(/all 4 blocks/);
    pool.share(taken[0]!);
    pool.release(taken[0]!);
    expect(pool.free).toBe(0);
    pool.release(taken[0]!);
    expect(pool.take()).toBe(taken[0]);
  });

  test("a block that nobody has cannot be shared or released", () => {
    const pool = new BlockPool();
    pool.grow(3);
    expect(() => pool.release(1)).toThrow(/free/);
    expect(() => pool.share(2)).toThrow(/free/);
  });
});

const SHAPE: PagedShape = {
  layers: 2,
  kvHeads: 2,
  headDim: 4,
  dtype: "float32",
  device: "cpu",
  blockSize: 4,
  maxLength: 24,
};

/** Random keys and values of prompts of these lengths, [P, G, T, K] per layer. */
function randomPrefix(lengths: number[]): Prefix {
  const make = () => ops.randn([lengths.length, SHAPE.kvHeads, Math.max(...lengths), SHAPE.headDim]);
  return { keys: [make(), make()], values: [make(), make()], lengths };
}

/** A row's keys in a layer as its table tells, [length, G, K]. */
function read(cache: PagedCache, from: (layer: number) => Tensor, row: number, layer: number): number[] {
  const { blocks } = cache.tables(cache.rows);
  const table = [...blocks.subarray(row * cache.width, (row + 1) * cache.width)];
  const parts = table.map((block) => from.call(cache, layer).select(0, block));
  return ops.cat(parts).narrow(0, 0, cache.lengthOf(row)).toArray();
}

const original = (t: Tensor, prompt: number, length: number) =>
  t.select(0, prompt).narrow(1, 0, length).transpose(0, 1).contiguous().toArray();

function expectPrefix(cache: PagedCache, prefix: Prefix, promptOfRow: number[]) {
  promptOfRow.forEach((prompt, row) => {
    const length = prefix.lengths[prompt]!;
    for (const layer of [0, 1]) {
      expect(read(cache, cache.keys, row, layer)).toEqual(original(prefix.keys[layer]!, prompt, length));
      expect(read(cache, cache.values, row, layer)).toEqual(original(prefix.values[layer]!, prompt, length));
    }
  });
}

describe.each([false, true])("PagedCache, runs of blocks: %s", (runs) => {
  test("rows read their prompt, also after others have come and gone and memory has moved", () =>
    scope(() => {
      const cache = new PagedCache({ ...SHAPE, runs });
      const [a, b] = [randomPrefix([6, 8]), randomPrefix([3])];
      cache.append(a, [
        { prompt: 0, count: 3 },
        { prompt: 1, count: 2 },
      ]);
      expectPrefix(cache, a, [0, 0, 0, 1, 1]);
      // Rows 0 and 1 end: the last rows take their places.
      cache.compact(
        [
          [4, 0],
          [3, 1],
        ],
        3,
      );
      expectPrefix(cache, a, [1, 1, 0]);
      const version = cache.version;
      for (let i = 0; i < 12; i++) cache.append(b, [{ prompt: 0, count: 2 }]);
      expect(cache.version).toBeGreaterThan(version);
      expectPrefix(cache, a, [1, 1, 0]);
      expect(read(cache, cache.keys, 20, 1)).toEqual(original(b.keys[1]!, 0, 3));
      cache.compact([], 0);
      expect(cache.used).toBe(0);
      cache.clear();
    }));
});

describe("blocks in use", () => {
  // Blocks of 4 tokens; a group's full blocks are shared, the last one, where it is filled in part, is each row's own.
  test.each([
    [8, 5, 2],
    [9, 5, 2 + 5],
    [3, 4, 4],
  ])("a prompt of %i tokens and %i completions: %i", (length, count, blocks) =>
    scope(() => {
      const cache = new PagedCache(SHAPE);
      cache.append(randomPrefix([length]), [{ prompt: 0, count }]);
      expect(cache.used).toBe(blocks);
      cache.clear();
    }),
  );

  test("a row takes a block when its last one is full, and gives all back", () =>
    scope(() => {
      const cache = new PagedCache(SHAPE);
      cache.append(randomPrefix([7]), [{ prompt: 0, count: 2 }]);
      const used: number[] = [];
      for (let i = 0; i < 6; i++) {
        cache.extend();
        cache.advance();
        used.push(cache.used);
      }
      // One shared block and each row's own: full at 8 tokens, so the 9th and the 13th token need new ones.
      expect(used).toEqual([3, 5, 5, 5, 5, 7]);
      cache.compact([], 1);
      expect(cache.used).toBe(4);
      cache.compact([], 0);
      expect(cache.used).toBe(0);
      cache.clear();
    }));

  test("no row grows beyond the longest length", () =>
    scope(() => {
      const cache = new PagedCache({ ...SHAPE, maxLength: 8 });
      cache.append(randomPrefix([8]), [{ prompt: 0, count: 1 }]);
      expect(() => cache.extend()).toThrow(/beyond 8/);
      cache.clear();
    }));
});

test("clear frees the memory", () => {
  const before = liveTensors();
  scope(() => {
    const cache = new PagedCache(SHAPE);
    cache.append(randomPrefix([5]), [{ prompt: 0, count: 3 }]);
    cache.clear();
  });
  expect(liveTensors()).toBe(before);
});
