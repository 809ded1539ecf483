/**
 * Gradients of bfloat16 weights add up in float32. bfloat16 has 8 bits: a sum of a few hundred parts no longer takes the next one in, and
 * one of Open-RS's steps has 2,300 chunks at the head and some hundred passes.
 */
import { expect, test } from "vitest";
import { type CausalLM, loadModel } from "../../src/model/index.js";
import { backwardHidden } from "../../src/passes/head.js";
import { backwardTokens, packBatch } from "../../src/passes/index.js";
import { trainingBytes } from "../../src/passes/memory.js";
import { manualSeed, noGrad, ops, scope, type Tensor } from "../../src/torch/index.js";
import { fixtureDir, golden } from "../model/fixtures.js";

const CHUNK = 64;
const load = (name: string, dtype: "float32" | "bfloat16"): CausalLM =>
  dtype === "float32" ? rounded(name) : loadModel(fixtureDir(name), { dtype, copy: true }).requireGrad(true);

/** In float32 with the weights that bfloat16 has. */
function rounded(name: string): CausalLM {
  const [model, half] = [
    loadModel(fixtureDir(name), { dtype: "float32", copy: true }),
    loadModel(fixtureDir(name), { dtype: "bfloat16" }),
  ];
  noGrad(() => {
    for (const [name, weight] of model.weights) ops.copy_(weight, half.weights.get(name)!);
  });
  return model.requireGrad(true);
}

const lengthOf = (t: Tensor): number => scope(() => ops.norm(t.to("float32").reshape(-1)).item());
const distance = (a: Tensor, b: Tensor): number =>
  scope(() => lengthOf(a.to("float32").sub(b.to("float32"))) / lengthOf(b));

// Added up in bfloat16: 1.9 % after 288 chunks, 32 % after 2,304; so: 0.07 and 0.03 %.
test.each([288, 2304])("the head's gradient over %i chunks is within a fifth of a percent of float32's", (chunks) => {
  const [half, whole] = [load("qwen2-untied-bf16-sharded", "bfloat16"), load("qwen2-untied-bf16-sharded", "float32")];
  manualSeed(3);
  const N = chunks * CHUNK;
  const [hidden_ND, targets_N] = scope(() => [
    ops.randn([N, half.config.hiddenSize]).to("bfloat16"),
    ops.randint(0, half.config.vocabSize, [N], { dtype: "int64" }),
  ]);
  const slope = (logps: Tensor) => ops.fullLike(logps, 1 / N);
  for (const model of [half, whole])
    backwardHidden(model, hidden_ND.to(model.dtype), targets_N, slope, { chunk: CHUNK });
  const error = distance(half.head_VD.grad!, whole.head_VD.grad!);
  expect(half.head_VD.grad!.dtype).toBe("float32");
  expect(error).toBeLessThan(0.002);
});

test.each([false, true])(
  "every parameter's gradient over 300 equal passes is 300 times that of one (checkpointing %s)",
  (checkpointing) => {
    const ids = golden("qwen2-tied").sequences[0]!;
    const gradients = (passes: number) => {
      const model = load("qwen2-tied", "bfloat16");
      scope(() => {
        const batch = packBatch([{ ids, from: 3 }], model);
        for (let i = 0; i < passes; i++)
          backwardTokens(model, batch, (logps) => ops.fullLike(logps, 1), { checkpointing });
      });
      return model.parameters();
    };
    const [one, many] = [gradients(1), gradients(300)];
    for (const [name, parameter] of many) {
      const expected = scope(() => one.get(name)!.grad!.mul(300).toArray());
      const found = parameter.grad!.toArray();
      const scale = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      const worst = found.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i]!)), 0);
      expect(worst / scale, name).toBeLessThan(1e-4);
    }
  },
);

test("the plan counts them: 4 bytes a parameter, and the largest one's own gradient before it is added", () => {
  const keys = { optim: "adamw_8bit", master_weights: false } as const;
  const [half, whole] = [load("qwen2-tied", "bfloat16"), load("qwen2-tied", "float32")];
  const sizes = [...half.parameters().values()].map(({ numel }) => numel);
  const all = sizes.reduce((a, b) => a + b, 0);
  // Weight, gradient, two moments of a byte; the largest in bfloat16 and as the float32 that is added.
  expect(trainingBytes(half, keys)).toBe(all * (2 + 4 + 2) + Math.max(...sizes) * (2 + 4));
  expect(trainingBytes(whole, keys)).toBe(all * (4 + 4 + 2));
});
