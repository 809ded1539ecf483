/** The choice of the kernel that reads a paged cache, as far as it can be made without a GPU: the trial itself is the one a GPU is put to. */
import { describe, expect, test } from "vitest";
import { cacheReader, type Heads } from "../../../src/engine/paged/attend.js";
import { chooseKernel, TRIAL_LENGTHS, trialOf, unfit } from "../../../src/engine/paged/kernel.js";
import { liveTensors, ops } from "../../../src/torch/index.js";

const SHARED: Heads = { heads: 12, kvHeads: 2, headDim: 64 };
const ALONE: Heads = { heads: 4, kvHeads: 4, headDim: 64 };
const WINDOWED: Heads = { ...SHARED, kinds: [{ window: undefined }, { window: 5 }] };
const FULL = "…, Tensor? seqused_k=None, Tensor? alibi_slopes=None, Tensor? block_table=None, int? num_splits=None)";
const NO_SPLITS = "…, Tensor? seqused_k=None, Tensor? alibi_slopes=None, Tensor? block_table=None)";
const OLD = "…, Tensor? seqused_k=None, Tensor? alibi_slopes=None)";

describe.each([
  ["12/2 heads", SHARED],
  ["4/4 heads", ALONE],
  ["windows", WINDOWED],
])("the trial with %s", (_, heads) => {
  test.each(["float32", "bfloat16"] as const)("passes what is right, in %s", (dtype) => {
    const before = liveTensors();
    expect(trialOf("math", { device: "cpu", dtype, heads })).toBeNull();
    expect(liveTensors()).toBe(before);
  });

  type Reader = typeof cacheReader;
  const wrong: [string, Reader][] = [
    [
      // pytorch #194167
      "writes only the first sequence",
      (...args) =>
        (layer, q) => {
          const out = cacheReader(...args)(layer, q);
          return ops.cat([out.narrow(0, 0, 1), ops.zeros([out.size(0) - 1, ...out.shape.slice(1)])]);
        },
    ],
    [
      "does not see the newest token",
      (cache, { blocks, lengths }, kernel) =>
        cacheReader(cache, { blocks, lengths: ops.clamp_(lengths.sub(1), { min: 0 }) }, kernel),
    ],
    [
      "reads only the first block of a row",
      (cache, { blocks, lengths }, kernel) =>
        cacheReader(cache, { blocks, lengths: ops.clamp_(lengths.add(0), { max: 255 }) }, kernel),
    ],
    [
      "gives no numbers",
      (...args) =>
        (layer, q) =>
          cacheReader(...args)(layer, q).mul(Number.NaN),
    ],
  ];
  test.each(wrong)("rejects a kernel that %s", (_name, reader) => {
    expect(trialOf("math", { device: "cpu", dtype: "float32", heads }, reader)).toMatch(/numbers are off by/);
  });

  test("rejects a kernel that libtorch refuses, with its reason", () => {
    const refuses: Reader = () => () => ops.mm(ops.ones([2, 3]), ops.ones([2, 3]));
    expect(trialOf("math", { device: "cpu", dtype: "float32", heads }, refuses)).toMatch(/aten::mm/);
  });
});

test("a kernel that sees beyond its window is rejected, if the model has windows", () => {
  const all: typeof cacheReader =
    (...args) =>
    (layer, q) =>
      cacheReader(...args)({ ...layer, window: undefined }, q);
  expect(trialOf("math", { device: "cpu", dtype: "float32", heads: SHARED }, all)).toBeNull();
  expect(trialOf("math", { device: "cpu", dtype: "float32", heads: WINDOWED }, all)).toMatch(/off by/);
});

test("the trial has several rows and several blocks", () => {
  expect(TRIAL_LENGTHS.length).toBeGreaterThan(1);
  expect(Math.max(...TRIAL_LENGTHS)).toBeGreaterThan(2 * 256);
});

test.each([
  ["flash-paged", SHARED, FULL, null],
  ["flash-paged", ALONE, FULL, null],
  ["flash-paged", SHARED, NO_SPLITS, null],
  ["flash-paged", ALONE, NO_SPLITS, /#194167/],
  ["flash-paged", WINDOWED, FULL, null],
  ["flash-paged", WINDOWED, NO_SPLITS, /#194167/],
  ["flash-paged", SHARED, OLD, /no block_table/],
  ["flash-runs", ALONE, OLD, null],
  ["flash-runs", ALONE, "(Tensor query)", /no seqused_k/],
] as const)("%s for %j with this schema: %s", (kernel, heads, schema, expected) => {
  const reason = unfit(kernel, heads, schema);
  if (expected === null) expect(reason).toBeNull();
  else expect(reason).toMatch(expected);
});

test("without a GPU, or in float32, blocks are gathered", () => {
  expect(chooseKernel("cpu", "bfloat16", SHARED).kernel).toBe("math");
  expect(chooseKernel("cuda:0", "float32", SHARED)).toEqual({
    kernel: "math",
    reasons: ["FlashAttention knows no float32"],
  });
});
