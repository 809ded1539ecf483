import { afterEach, describe, expect, test } from "vitest";
import { KvCache, type Prefix } from "../../src/engine/cache.js";
import { liveTensors, manualSeed, ops, scope, type Tensor } from "../../src/torch/index.js";

const G = 2;
const K = 3;
const shape = { layers: 2, kvHeads: G, headDim: K, device: "cpu" };

/** The naive cache: each row's keys and values of each layer, token by token. */
type Row = { keys: number[][][]; values: number[][][] };

/** A cache and its naive double, told the same. */
class Pair {
  readonly cache: KvCache;
  rows: Row[] = [];

  constructor(private readonly dtype: "float32" | "bfloat16") {
    this.cache = new KvCache({ ...shape, dtype });
  }

  #random(...size: number[]): Tensor {
    return ops.randn(size).to(this.dtype);
  }

  append(lengths: number[], parts: { prompt: number; count: number }[]): void {
    scope(() => {
      const T = Math.max(...lengths);
      const part = () => Array.from({ length: shape.layers }, () => this.#random(lengths.length, G, T, K));
      const prefix: Prefix = { keys: part(), values: part(), lengths };
      this.cache.append(prefix, parts);
      for (const { prompt, count } of parts) {
        const tokens = (t: Tensor) =>
          Array.from({ length: lengths[prompt]! }, (_, i) => t.select(0, prompt).select(1, i).toArray());
        for (let i = 0; i < count; i++)
          this.rows.push({ keys: prefix.keys.map(tokens), values: prefix.values.map(tokens) });
      }
    });
  }

  step(): void {
    scope(() => {
      this.cache.advance();
      for (let layer = 0; layer < shape.layers; layer++) {
        const k = this.#random(this.cache.paddedRows, G, K);
        const v = this.#random(this.cache.paddedRows, G, K);
        this.cache.write(layer, k, v);
        this.rows.forEach((row, r) => {
          row.keys[layer]!.push(k.select(0, r).toArray());
          row.values[layer]!.push(v.select(0, r).toArray());
        });
      }
    });
  }

  compact(moves: [number, number][], rows: number): void {
    this.cache.compact(moves, rows);
    for (const [from, to] of moves) this.rows[to] = this.rows[from]!;
    this.rows.length = rows;
  }

  /** What the cache shows of each row, the columns its mask hides left out, is what the naive one holds. */
  check(): void {
    expect(this.cache.rows).toBe(this.rows.length);
    expect(this.cache.paddedRows).toBeGreaterThanOrEqual(this.rows.length);
    scope(() => {
      for (let layer = 0; layer < shape.layers; layer++) {
        const { keys, values } = this.cache.read(layer);
        const width = keys.size(2);
        const mask = this.cache.mask()?.toArray() ?? Array(this.cache.paddedRows * G * width).fill(0);
        this.rows.forEach((row, r) => {
          const byHead = (tokens: number[][], g: number) => tokens.map((t) => t.slice(g * K, (g + 1) * K));
          for (let g = 0; g < G; g++) {
            const index = r * G + g;
            const seen = Array.from({ length: width }, (_, c) => c).filter((c) => mask[index * width + c] === 0);
            expect(seen).toHaveLength(this.cache.lengthOf(r));
            const column = (c: number) => keys.select(0, index).select(1, c).toArray();
            const line = (c: number) => values.select(0, index).select(0, c).toArray();
            expect(seen.map(column)).toEqual(byHead(row.keys[layer]!, g));
            expect(seen.map(line)).toEqual(byHead(row.values[layer]!, g));
          }
        });
      }
    });
  }
}

describe.each(["float32", "bfloat16"] as const)("a cache in %s holds what a list of tokens per row holds", (dtype) => {
  let pair: Pair;
  afterEach(() => pair.cache.clear());

  test("groups share a prompt's part; prompts of other lengths end in the same column", () => {
    pair = new Pair(dtype);
    manualSeed(1);
    pair.append(
      [4, 2, 7],
      [
        { prompt: 0, count: 2 },
        { prompt: 1, count: 1 },
        { prompt: 2, count: 3 },
      ],
    );
    pair.check();
    for (let i = 0; i < 3; i++) pair.step();
    pair.check();
  });

  test("grows over several blocks, and drops the columns of rows that left", () => {
    pair = new Pair(dtype);
    manualSeed(2);
    pair.append([5], [{ prompt: 0, count: 2 }]);
    for (let i = 0; i < 90; i++) pair.step();
    pair.check();
    const { capacity } = pair.cache;
    pair.append([3], [{ prompt: 0, count: 1 }]);
    pair.compact([[2, 0]], 1);
    expect(pair.cache.width).toBe(3);
    for (let i = 0; i < 200; i++) pair.step();
    pair.check();
    expect(pair.cache.capacity).toBeLessThan(2 * capacity + 100);
  });

  test("rows come and go: the last ones take the places of those that left", () => {
    pair = new Pair(dtype);
    manualSeed(3);
    pair.append(
      [2, 3],
      [
        { prompt: 0, count: 2 },
        { prompt: 1, count: 2 },
      ],
    );
    pair.step();
    pair.compact([[3, 0]], 3);
    pair.check();
    // A longer prompt than anything so far pushes the others' columns on.
    pair.append([40], [{ prompt: 0, count: 2 }]);
    pair.check();
    pair.step();
    pair.compact(
      [
        [4, 1],
        [3, 2],
      ],
      3,
    );
    pair.check();
    pair.compact([], 0);
    expect(pair.cache.rows).toBe(0);
    pair.append([6], [{ prompt: 0, count: 1 }]);
    pair.step();
    pair.check();
  });

  test("leaves no tensors behind", () => {
    const before = liveTensors();
    pair = new Pair(dtype);
    pair.append(
      [4, 2],
      [
        { prompt: 0, count: 2 },
        { prompt: 1, count: 1 },
      ],
    );
    for (let i = 0; i < 50; i++) pair.step();
    pair.compact([[2, 1]], 2);
    pair.check();
    pair.cache.clear();
    expect(liveTensors()).toBe(before);
  });
});
