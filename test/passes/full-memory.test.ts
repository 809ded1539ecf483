import { describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/index.js";
import { learn } from "../../src/grpo/step.js";
import { loadModel } from "../../src/model/index.js";
import { learningAdvice, orSmaller, shrink } from "../../src/passes/full-memory.js";
import { trainingBytes } from "../../src/passes/memory.js";
import { batchShape, resolveGrpoRecipe } from "../../src/recipe/index.js";
import type { Tokenizer } from "../../src/text/types.js";
import { isTight } from "../../src/torch/cuda.js";
import { isOutOfGpuMemory, TorchError } from "../../src/torch/index.js";
import { Learner } from "../../src/training/learner.js";
import { fixtureDir, golden } from "../model/fixtures.js";

/** As libtorch words it. */
const full = () => new TorchError("aten::mm", "", "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has …");

test.each([
  [full(), true],
  [new TorchError("aten::mm", "", "CUDA error: out of memory"), true],
  [new TorchError("aten::mm", "", "mat1 and mat2 shapes cannot be multiplied"), false],
  [new Error("CUDA out of memory"), false],
])("%s: out of a GPU's memory %s", (error, expected) => expect(isOutOfGpuMemory(error)).toBe(expected));

describe("orSmaller", () => {
  const fails = () => {
    throw full();
  };
  const rest = { device: "cpu", advice: () => "use less" };

  test("tries smaller once, and only for want of memory", () => {
    expect(orSmaller({ ...rest, first: () => 1, smaller: fails })).toBe(1);
    expect(orSmaller({ ...rest, first: fails, smaller: () => 2 })).toBe(2);
    const other = () => {
      throw new Error("else");
    };
    expect(() => orSmaller({ ...rest, first: other, smaller: () => 2 })).toThrow("else");
  });

  test("then says in one line what to change", () => {
    expect(() => orSmaller({ ...rest, first: fails, smaller: fails })).toThrow(/^use less$/);
    expect(learningAdvice("cuda:0", { maxTokens: 512, checkpointing: true })).toMatch(
      /^the memory of cuda:0 is full.*max_tokens_per_micro_batch below 512.*gradient_checkpointing/,
    );
  });

  test.each([
    ["auto", true],
    [false, false],
  ] as const)("passes shrink to half; gradient_checkpointing %s: %s", (key, checkpointing) => {
    const plan = { maxTokens: 100, checkpointing: false };
    shrink(plan, key);
    expect(plan).toEqual({ maxTokens: 50, checkpointing });
  });
});

/** Fails as a GPU does, in the middle of the first backward pass of the step: after the layers have accumulated some gradients. */
test("a step that ran out of memory is made again from nothing, in smaller passes, to the same gradient", () => {
  const { recipe } = resolveGrpoRecipe({
    ...{ model_name_or_path: "-", dataset_name: "-", reward_funcs: ["format"], learning_rate: 0, max_grad_norm: 0 },
  });
  const ids = golden("qwen3").sequences[0]!;
  const samples = [3, 9, 6, 4].map((length, i) => ({
    ...{ promptIds: ids.slice(0, 4), ids: ids.slice(4, 4 + length), truncated: false, advantage: i - 1.4 },
    ...{ samplerLogps: Array<number>(length).fill(-5), oldLogps: null, refLogps: null },
  }));
  const run = (failures: number) => {
    const model = loadModel(fixtureDir("qwen3"), { dtype: "float32", copy: true });
    const learner = new Learner(model, recipe, 1);
    const runLayer = model.runLayer.bind(model);
    let [left, calls] = [failures, 0];
    model.runLayer = (...args) => {
      // The second pass of the step.
      if (++calls > model.config.layers && left-- > 0) throw full();
      return runLayer(...args);
    };
    const passes = { maxTokens: 16, checkpointing: false };
    const metrics = learn({ learner, recipe, shape: batchShape(recipe), passes }, [{ samples, all: samples }], 0);
    learner.optimizer.dispose();
    model.dispose();
    return { grad_norm: metrics.grad_norm!, loss: metrics.loss!, passes };
  };
  const whole = run(0);
  const retried = run(1);
  expect(whole.passes.maxTokens).toBe(16);
  expect(retried.passes).toEqual({ maxTokens: 8, checkpointing: true });
  expect(retried.loss).toBeCloseTo(whole.loss, 5);
  expect(retried.grad_norm / whole.grad_norm).toBeCloseTo(1, 5);
  expect(() => run(2)).toThrow(/memory of cpu is full.*max_tokens_per_micro_batch below 8/);
});

test("a sampling that ran out of memory is made again with half the rows", async () => {
  const tokenizer = { eosTokenIds: [1], decode: () => "" } as unknown as Tokenizer;
  const model = loadModel(fixtureDir("qwen2-tied"), { dtype: "float32" });
  const forward = model.forward.bind(model);
  let failures = 1;
  let widest = 0;
  model.forward = (ids, attend) => {
    // Decode steps have one token a row.
    if (ids.size(1) === 1 && failures-- > 0) throw full();
    widest = Math.max(widest, ids.size(1) === 1 ? ids.size(0) : 0);
    return forward(ids, attend);
  };
  const engine = new Engine(model, tokenizer);
  const options = { n: 8, maxTokens: 4, ignoreEos: true };
  const [completions] = await engine.generate([[5, 6, 7]], options);
  expect(completions!.map(({ ids }) => ids.length)).toEqual(Array(8).fill(4));
  expect(widest).toBeLessThanOrEqual(4);
  failures = 2;
  await expect(engine.generate([[5, 6, 7]], options)).rejects.toThrow(
    /^the memory of cpu is full, also with 4 completions sampled together: lower max_completion_length/,
  );
  failures = 1;
  await expect(engine.generate([[5, 6, 7]], { ...options, onToken: () => {} })).rejects.toThrow(TorchError);
  model.dispose();
});

test.each([
  ["room enough", { allocated: 10, reserved: 60, free: 40, total: 100 }, false],
  ["full, with much that no tensor holds", { allocated: 40, reserved: 95, free: 5, total: 100 }, true],
  ["full of tensors", { allocated: 94, reserved: 95, free: 5, total: 100 }, false],
])("memory is tight: %s", (_, memory, expected) => {
  expect(isTight({ ...memory, peakAllocated: 0, peakReserved: 0 })).toBe(expected);
});

test("the plan counts the reference model, unless its weights are the model's own", () => {
  const model = loadModel(fixtureDir("qwen3"), { dtype: "float32" });
  const other = loadModel(fixtureDir("qwen3"), { dtype: "float32" });
  const keys = { optim: "adamw_torch_fused", master_weights: true } as const;
  const weights = [...model.weights.values()].reduce((sum, { numel }) => sum + 4 * numel, 0);
  // Weights, gradients, two moments.
  expect(trainingBytes(model, keys)).toBe(4 * weights);
  expect(trainingBytes(model, keys, model)).toBe(4 * weights);
  expect(trainingBytes(model, keys, other)).toBe(5 * weights);
  for (const each of [model, other]) each.dispose();
});
