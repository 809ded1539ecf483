/** The trial that decides whether training attends through FlashAttention, put to attention on the CPU. */
import { describe, expect, test } from "vitest";
import { blockAttention, type PackedAttention } from "../../src/passes/attend-packed.js";
import { packedTrial, takesVarlen, varlenProblem } from "../../src/passes/packed-kernel.js";
import { liveTensors, ops } from "../../src/torch/index.js";

const CONFIG = { heads: 4, kvHeads: 2, headDim: 64 };
const WINDOWED = { ...CONFIG, kinds: [{ window: undefined }, { window: 9 }] };
const CPU = { device: "cpu", config: CONFIG } as const;

describe("the trial", () => {
  test.each(["float32", "bfloat16"] as const)("passes attention that is right, in %s", (dtype) => {
    const before = liveTensors();
    expect(packedTrial(blockAttention, { ...CPU, dtype })).toBeNull();
    expect(packedTrial(blockAttention, { ...CPU, config: WINDOWED, dtype })).toBeNull();
    expect(liveTensors()).toBe(before);
  });

  const oneSequence: PackedAttention = (blocks, layer, ...qkv) => {
    const length = blocks.reduce((sum, block) => sum + block.length, 0);
    return blockAttention([{ rows: 1, length }], layer, ...qkv);
  };
  const halfGradient: PackedAttention = (blocks, layer, q, k, v) => {
    const out = blockAttention(blocks, layer, q, k.detach(), v);
    return out.add(k.sum().mul(0));
  };
  test.each<[string, PackedAttention]>([
    ["sees other sequences", oneSequence],
    ["loses the gradient of k", halfGradient],
    ["gives no numbers", (...args) => blockAttention(...args).mul(Number.NaN)],
  ])("rejects one that %s", (_, attention) => {
    expect(packedTrial(attention, { ...CPU, dtype: "float32" })).toMatch(/off by/);
  });

  test("rejects one that sees beyond its window, if the model has windows", () => {
    const all: PackedAttention = (blocks, _layer, ...qkv) =>
      blockAttention(blocks, { index: 0, window: undefined }, ...qkv);
    expect(packedTrial(all, { ...CPU, dtype: "float32" })).toBeNull();
    expect(packedTrial(all, { ...CPU, config: WINDOWED, dtype: "float32" })).toMatch(/off by/);
  });

  test("rejects one that this card refuses, with libtorch's reason", () => {
    const refuses: PackedAttention = () => ops.mm(ops.ones([2, 3]), ops.ones([2, 3]));
    expect(packedTrial(refuses, { ...CPU, dtype: "float32" })).toMatch(/aten::mm/);
  });
});

test("not asked for without a GPU or in float32", () => {
  expect(takesVarlen({ device: "cpu", dtype: "bfloat16", config: CONFIG as never })).toBe(false);
  expect(varlenProblem("cuda:0", "float32", CONFIG)).toMatch(/no float32/);
});
