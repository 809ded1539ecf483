/**
 * Our own operators (native/operators*.cc) against what they stand for, in libtorch's operators: values and gradients. For each
 * instruction set in a test file, and so a process, of its own; all of them, also where libtorch's is the faster one and is chosen.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RopeTable, type Rotation } from "../../src/model/rope.js";
import { plainRope } from "../../src/model/rope-config.js";
import {
  gradients,
  manualSeed,
  noGrad,
  ops,
  scope,
  setNumThreads,
  setOwnOperators,
  type Tensor,
  tensor,
} from "../../src/torch/index.js";

const DTYPES = [
  ["float32", 2e-6],
  ["bfloat16", 2e-2],
] as const;

setOwnOperators("all");
beforeEach(() => manualSeed(1));
afterEach(() => setNumThreads(1));

const randn = (...shape: number[]) => ops.randn(shape);
const as = (x: Tensor, dtype: "float32" | "bfloat16") => {
  const leaf = x.to(dtype).detach();
  leaf.requiresGrad = true;
  return leaf;
};

/** The largest difference, as a part of the largest value. */
function difference(x: Tensor, expected: Tensor): number {
  expect(x.shape).toEqual(expected.shape);
  const [a, b] = [x.to("float32"), expected.to("float32")];
  const size = ops.amax(ops.abs(b)).item();
  return ops.amax(ops.abs(a.sub(b))).item() / Math.max(size, 1e-6);
}

/** Values and gradients of both ways on the same numbers; the reference computes in float32 from what the dtype holds. */
function compare(
  dtype: "float32" | "bfloat16",
  tolerance: number,
  inputs: Tensor[],
  ours: (...x: Tensor[]) => Tensor[],
  reference: (...x: Tensor[]) => Tensor[],
  /** Whether the operator computes the same with and without gradients to the bit. */
  exact = true,
): void {
  const mine = inputs.map((x) => as(x, dtype));
  const theirs = mine.map((x) => as(x, "float32"));
  const [a, b] = [ours(...mine), reference(...theirs)];
  const slopes = b.map((x) => ops.randn(x.shape));
  a.forEach((x, i) => {
    expect(x.dtype).toBe(dtype);
    expect(difference(x, b[i]!)).toBeLessThan(tolerance);
  });
  const gradsOf = (outputs: Tensor[], leaves: Tensor[]) => {
    const parts = outputs.map((x, i) => x.to("float32").mul(slopes[i]!).sum());
    return gradients(
      parts.reduce((sum, part) => sum.add(part)),
      leaves,
    );
  };
  const [ga, gb] = [gradsOf(a, mine), gradsOf(b, theirs)];
  ga.forEach((g, i) => {
    expect(difference(g!, gb[i]!)).toBeLessThan(tolerance);
  });
  // Without gradients it is the same.
  noGrad(() => {
    ours(...mine).forEach((x, i) => {
      expect(difference(x, a[i]!)).toBeLessThanOrEqual(exact ? 0 : tolerance);
    });
  });
}

describe.each(DTYPES)("silu_mul, %s", (dtype, tolerance) => {
  it.each([
    [3, 16],
    [1, 5, 48],
    [700, 1024],
    [2, 7],
  ])("[%i, …]", (...shape) => {
    const inner = shape.at(-1)!;
    const x = randn(...shape.slice(0, -1), 2 * inner).mul(3);
    scope(() =>
      compare(
        dtype,
        tolerance,
        [x],
        (x) => [ops.siluMul(x)],
        (x) => {
          const [gate, up] = ops.splitSizes(x, [inner, inner], { dim: -1 });
          return [ops.silu(gate!).mul(up!)];
        },
      ),
    );
  });

  it("has the limits of silu, and NaN stays NaN", () => {
    const gate = [-1e4, -100, 0, 100, 1e4, Number.NaN, ...Array<number>(10).fill(1)];
    const x = tensor([...gate, ...Array<number>(16).fill(1)], [32]).to(dtype);
    const y = ops.siluMul(x).to("float32").toArray();
    for (const small of y.slice(0, 3)) expect(Math.abs(small!)).toBeLessThan(1e-30);
    expect(y[3]).toBe(100);
    expect(y[4]).toBe(tensor([1e4]).to(dtype).to("float32").toArray()[0]);
    expect(y[5]).toBeNaN();
  });
});

describe.each(DTYPES)("add_rms_norm, %s", (dtype, tolerance) => {
  const eps = 1e-5;
  const norm = (x: Tensor, w: Tensor) => ops.rmsNorm(x, w.shape, { weight: w, eps });

  it.each([
    [3, 16],
    [1, 5, 48],
    [900, 256],
    [2, 7],
  ])("[%i, …]", (...shape) => {
    const weight = randn(shape.at(-1)!);
    scope(() => {
      compare(
        dtype,
        tolerance,
        [randn(...shape), randn(...shape), weight],
        (x, d, w) => ops.addRmsNorm(x, d, w, eps),
        (x, d, w) => [x.add(d), norm(x.add(d), w)],
      );
      compare(
        dtype,
        tolerance,
        [randn(...shape), weight],
        (x, w) => [ops.addRmsNorm(x, null, w, eps)[1]],
        (x, w) => [norm(x, w)],
      );
    });
  });

  it("gives the same gradients when only the norm is used, and with two threads", () => {
    const inputs = [randn(900, 64), randn(900, 64), randn(64)];
    for (const threads of [1, 2]) {
      setNumThreads(threads);
      scope(() =>
        compare(
          dtype,
          tolerance,
          inputs,
          (x, d, w) => [ops.addRmsNorm(x, d, w, eps)[1]],
          (x, d, w) => [norm(x.add(d), w)],
        ),
      );
    }
  });
});

const rope = (dim: number, dtype: "float32" | "bfloat16") => new RopeTable(plainRope(10_000), dim, dtype, "cpu");

/** Rotation and scaled_dot_product_attention of libtorch, one sequence after the other. */
function plainAttention(qkv_NC: Tensor, starts: number[], table: RopeTable, H: number, G: number): Tensor {
  const K = qkv_NC.size(1) / (H + 2 * G);
  const outs = starts.slice(0, -1).map((start, s) => {
    const T = starts[s + 1]! - start;
    const rotation: Rotation = table.at(ops.arange(0, T, { dtype: "int64" }), T);
    const byHead = qkv_NC.narrow(0, start, T).view(1, T, H + 2 * G, K);
    const [qk, v] = ops.splitSizes(byHead, [H + G, G], { dim: 2 });
    const [q, k] = ops.splitSizes(table.rotate(qk!, rotation), [H, G], { dim: 2 });
    const [qt, kt, vt] = [q!, k!, v!].map((t) => t.transpose(1, 2));
    const out = ops.scaledDotProductAttention(qt!, kt!, vt!, { isCausal: true, enableGqa: H !== G });
    return out.transpose(1, 2).reshape(T, H * K);
  });
  return ops.cat(outs);
}

const SHAPES = [
  { H: 2, G: 2, K: 16, lengths: [1, 2, 3, 4, 5] },
  { H: 4, G: 2, K: 32, lengths: [31, 32, 33, 1, 64, 100] },
  { H: 3, G: 1, K: 64, lengths: [7, 130] },
  { H: 7, G: 1, K: 48, lengths: [65] },
  { H: 12, G: 2, K: 128, lengths: [40, 300] },
  { H: 2, G: 1, K: 80, lengths: [9, 40] },
  { H: 1, G: 1, K: 256, lengths: [35] },
];

/** Lengths → where each begins, and the end. */
function sums(lengths: readonly number[]): number[] {
  const starts = [0];
  for (const length of lengths) starts.push(starts.at(-1)! + length);
  return starts;
}
const index = (values: number[]) => tensor(values, undefined, "int64");

describe.each(DTYPES)("packed_attention, %s", (dtype, tolerance) => {
  it.each(SHAPES)("H $H, G $G, K $K, $lengths", ({ H, G, K, lengths }) => {
    const starts = sums(lengths);
    const trees = lengths.map((_, i) => i).concat(lengths.length);
    const [own, reference] = [rope(K, dtype), rope(K, "float32")];
    for (const threads of [1, 2]) {
      setNumThreads(threads);
      scope(() =>
        compare(
          dtype,
          tolerance,
          [randn(starts.at(-1)!, (H + 2 * G) * K)],
          (qkv) => {
            const { cos_NK, sin_NK } = own.upTo(Math.max(...lengths));
            return [ops.packedAttention(qkv, index(starts), index(trees), cos_NK, sin_NK, H, G)];
          },
          (qkv) => [plainAttention(qkv, starts, reference, H, G)],
        ),
      );
    }
  });

  // A root and its continuations give what the whole sequences give, one by one.
  it.each([
    { H: 4, G: 2, K: 32, parts: [[5, 3, 1, 40], [1], [33, 2, 2], [2, 0, 7]] },
    { H: 2, G: 1, K: 64, parts: [[31, 1, 100, 30]] },
    { H: 6, G: 3, K: 16, parts: [[64, 64, 64], [3]] },
  ])("trees $parts with H $H, G $G, K $K", ({ H, G, K, parts }) => {
    const [own, reference] = [rope(K, dtype), rope(K, "float32")];
    const starts = sums(parts.flat());
    const trees = sums(parts.map((tree) => tree.length));
    // Of each whole sequence: the rows of its tokens; of each output row: where it is the last to be computed.
    const sequences: number[][] = [];
    parts.forEach((tree, r) => {
      const rowsOf = (part: number) => Array.from({ length: tree[part]! }, (_, i) => starts[trees[r]! + part]! + i);
      const rest = tree.slice(1).map((_, i) => [...rowsOf(0), ...rowsOf(i + 1)]);
      sequences.push(rowsOf(0), ...rest);
    });
    const whole = sequences.filter((rows) => rows.length > 0);
    const flat = whole.flat();
    const last = Array.from({ length: starts.at(-1)! }, (_, row) => flat.lastIndexOf(row));
    for (const threads of [1, 2]) {
      setNumThreads(threads);
      scope(() =>
        compare(
          dtype,
          tolerance,
          [randn(starts.at(-1)!, (H + 2 * G) * K)],
          (qkv) => {
            const { cos_NK, sin_NK } = own.upTo(200);
            return [ops.packedAttention(qkv, index(starts), index(trees), cos_NK, sin_NK, H, G)];
          },
          (qkv) => {
            const all = plainAttention(
              qkv.indexSelect(0, index(flat)),
              sums(whole.map((rows) => rows.length)),
              reference,
              H,
              G,
            );
            return [all.indexSelect(0, index(last))];
          },
        ),
      );
    }
  });

  it("refuses segments that do not cover the tokens, and positions beyond the tables", () => {
    const { cos_NK, sin_NK } = rope(16, dtype).upTo(64);
    const qkv = randn(100, 48).to(dtype);
    const call = (starts: number[], trees: number[]) =>
      ops.packedAttention(qkv, index(starts), index(trees), cos_NK, sin_NK, 1, 1);
    expect(() => call([0, 50], [0, 1])).toThrow(/starts/);
    expect(() => call([0, 50, 100], [0, 1])).toThrow(/trees/);
    expect(() => call([0, 100], [0, 1])).toThrow(/100 positions, the tables have 64/);
    const [starts, trees] = [index([0, 100]), index([0, 1])];
    const of = (heads: number, kvHeads: number) => () =>
      ops.packedAttention(qkv, starts, trees, cos_NK, sin_NK, heads, kvHeads);
    expect(of(3, 2)).toThrow(/3 query heads on 2 key heads/);
    expect(of(2, 1)).toThrow(/multiple of 16/);
    const long = rope(32, dtype).upTo(128);
    expect(() => ops.packedAttention(qkv, starts, trees, long.cos_NK, long.sin_NK, 1, 1)).toThrow(/tables/);
  });
});

describe.each(DTYPES)("decode_attention, %s", (dtype, tolerance) => {
  it.each(SHAPES)("H $H, G $G, K $K, $lengths: each token in turn as in one pass", ({ H, G, K, lengths }) => {
    const [own, reference] = [rope(K, dtype), rope(K, "float32")];
    const rows = Math.min(3, lengths.length);
    // Rows of different length that end at the same column; every row gets `steps` tokens one at a time.
    const [steps, columns] = [Math.max(...lengths), Math.max(...lengths) + 64];
    const late = lengths.slice(0, rows).map((_, row) => row);
    const { cos_NK, sin_NK } = own.upTo(steps);
    const qkv = randn(rows, steps, (H + 2 * G) * K).to(dtype);
    const keys = ops.zeros([rows, G, K, columns], { dtype });
    const values = ops.zeros([rows, G, columns, K], { dtype });
    noGrad(() =>
      scope(() => {
        const outs: Tensor[] = [];
        for (let step = 0; step < steps; step++) {
          const starts = tensor(
            late.map((l) => 40 + Math.min(l, step)),
            undefined,
            "int64",
          );
          // A row that starts late begins with the step's token.
          const token = qkv.select(1, step);
          outs.push(ops.decodeAttention(token, keys, values, starts, 41 + step, cos_NK, sin_NK, H));
        }
        late.forEach((l, row) => {
          if (steps - l < 1) return;
          const tokens = qkv
            .select(0, row)
            .narrow(0, l, steps - l)
            .to("float32");
          const expected = plainAttention(tokens, [0, steps - l], reference, H, G);
          const got = ops.stack(outs.slice(l).map((o) => o.select(0, row)));
          expect(difference(got, expected)).toBeLessThan(tolerance);
        });
      }),
    );
  });

  it("refuses rows without room before them", () => {
    const { cos_NK, sin_NK } = rope(16, dtype).upTo(64);
    const keys = ops.zeros([1, 1, 16, 64], { dtype });
    const values = ops.zeros([1, 1, 64, 16], { dtype });
    const qkv = randn(1, 48).to(dtype);
    const starts = tensor([3], undefined, "int64");
    expect(() => ops.decodeAttention(qkv, keys, values, starts, 5, cos_NK, sin_NK, 1)).toThrow(/row 0 starts at 3/);
  });
});

describe.each(DTYPES)("linear, %s", (dtype, tolerance) => {
  it.each([
    [16, 1],
    [48, 7],
    [128, 130],
    [512, 64],
    [20, 9],
  ])("%i → %i, of any number of rows, with and without bias", (dim, outs) => {
    const [w, b] = [randn(outs, dim).to(dtype), randn(outs).to(dtype)];
    for (const threads of [1, 2]) {
      setNumThreads(threads);
      for (const rows of [[1], [2], [1, 3], [2, 2], [5], [6], [7], [8], [9], [40]]) {
        const x = randn(...rows, dim).to(dtype);
        for (const bias of [null, b]) {
          const exact = ops.linear(x.to("float32"), w.to("float32"), {
            bias: bias === null ? null : bias.to("float32"),
          });
          expect(difference(ops.linearLayer(x, w, { bias }), exact)).toBeLessThan(tolerance);
          // A matrix whose rows do not lie one after the other.
          const other = w.transpose(0, 1).clone().transpose(0, 1);
          expect(difference(ops.linearLayer(x, other, { bias }), exact)).toBeLessThan(tolerance);
        }
      }
    }
  });

  it("has gradients", () => {
    compare(
      dtype,
      tolerance,
      [randn(3, 32), randn(5, 32), randn(5)],
      (x, w, bias) => [ops.linearLayer(x, w, { bias })],
      (x, w, bias) => [ops.linear(x, w, { bias })],
      false,
    );
  });
});

describe.each(DTYPES)("draw, %s", (dtype) => {
  it.each([5, 16, 31, 384, 1000])("of %i tokens by the inverse of the cumulative distribution", (vocab) => {
    const B = 64;
    const logits = randn(B, vocab).mul(3).to(dtype);
    const x = logits.to("float32");
    const banned = ops.lt(randn(B, vocab), -1);
    const uniform = ops.rand([B, 1]);
    for (const ban of [null, banned]) {
      const [ids, sampling, logps] = ops.draw(logits, uniform, 0.7, { banned: ban });
      const allowed = ban ? ops.maskedFill(x, ban, Number.NEGATIVE_INFINITY) : x;
      const p = allowed.div(0.7).softmax(-1);
      // The drawn token's interval of the cumulative distribution holds the number.
      const at = ids.unsqueeze(-1);
      const upper = ops.cumsum(p, -1).gather(-1, at);
      const lower = upper.sub(p.gather(-1, at));
      expect(ops.amax(lower.sub(uniform)).item()).toBeLessThan(1e-5);
      expect(ops.amax(uniform.sub(upper)).item()).toBeLessThan(1e-5);
      expect(difference(sampling, p.gather(-1, at).squeeze(-1).log())).toBeLessThan(1e-5);
      expect(difference(logps, ops.logSoftmax(x, -1).gather(-1, at).squeeze(-1))).toBeLessThan(1e-5);
    }
  });

  it("draws as often as is likely", () => {
    const logits = tensor([0, 1, 2, Number.NEGATIVE_INFINITY], [1, 4]).to(dtype);
    const rows = 20000;
    const [ids] = ops.draw(logits.expand(rows, 4), ops.rand([rows]), 1);
    const counts = [0, 0, 0, 0];
    for (const id of ids.toArray()) counts[id]!++;
    const whole = 1 + Math.E + Math.E ** 2;
    [1, Math.E, Math.E ** 2, 0].forEach((w, i) => {
      expect(Math.abs(counts[i]! / rows - w / whole)).toBeLessThan(0.015);
    });
    expect(counts[3]).toBe(0);
  });

  it("never passes the last likely token, and shows NaN", () => {
    const logits = tensor([1, 2, -200, -200, -200], [1, 5]).to(dtype);
    expect(ops.draw(logits, tensor([1 - 2 ** -24]), 1)[0].toArray()).toEqual([1]);
    const [ids, sampling] = ops.draw(tensor([1, Number.NaN, 0], [1, 3]).to(dtype), tensor([0.5]), 1);
    expect(ids.toArray()[0]).toBeLessThan(3);
    expect(sampling.toArray()[0]).toBeNaN();
  });
});
