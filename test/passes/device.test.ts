/**
 * Everything a pass makes is made for the model's device. `cpu:0` stands for a GPU here: no code takes it for the CPU, libtorch computes on
 * it. Making a tensor without saying where, or one on the host that is not moved, would be mixing CPU and CUDA.
 */
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";

const DEVICE = "cpu:0";
const made = vi.hoisted(() => ({ nowhere: [] as string[], host: new Set<object>() }));

vi.mock("../../src/torch/ops.generated.js", async (original) => {
  const actual = await original<Record<string, unknown>>();
  const makers = ["empty", "zeros", "ones", "full", "arange", "rand", "randn", "randint"];
  const watched = makers.map((name) => [
    name,
    (...args: unknown[]) => {
      const options = args.at(-1) as { device?: string } | undefined;
      if (options?.device === undefined) made.nowhere.push(name);
      return (actual[name] as (...all: unknown[]) => unknown)(...args);
    },
  ]);
  return { ...actual, ...Object.fromEntries(watched) };
});

vi.mock("../../src/torch/tensor.js", async (original) => {
  const actual = await original<typeof import("../../src/torch/tensor.js")>();
  const tensor: typeof actual.tensor = (...args) => {
    const t = actual.tensor(...args);
    made.host.add(t);
    return Object.assign(t, {
      to(target: string) {
        if (target === DEVICE || target === "cpu") made.host.delete(t);
        return actual.Tensor.prototype.to.call(t, target);
      },
    });
  };
  return { ...actual, tensor };
});

const { PagedCache } = await import("../../src/engine/paged/cache.js");
const { DecodeBuffers } = await import("../../src/engine/paged/graph-buffers.js");
const { decodeStep } = await import("../../src/engine/paged/graph-step.js");
const { DEFAULT_SAMPLING } = await import("../../src/engine/types.js");
const { accumulate } = await import("../../src/grpo/step.js");
const { loadModel } = await import("../../src/model/index.js");
const { backwardTokens, packBatch, scoreTokens } = await import("../../src/passes/index.js");
const { resolveGrpoRecipe } = await import("../../src/recipe/index.js");
const { keep, noGrad, ops, scope } = await import("../../src/torch/index.js");
const { fixtureDir } = await import("../model/fixtures.js");

const model = loadModel(fixtureDir("qwen3"), { dtype: "float32", copy: true }).requireGrad(true);
Object.defineProperty(model, "device", { value: DEVICE });
afterAll(() => model.dispose());

// The table of rotations grows on the host and is moved whole.
scope(() => void model.forward(ops.zeros([64], { dtype: "int64", device: DEVICE })));

beforeEach(() => {
  made.nowhere.length = 0;
  made.host.clear();
});

function expectAllThere() {
  expect(made.nowhere).toEqual([]);
  expect([...made.host]).toEqual([]);
}

const MASKED = { ids: [5], from: 1 };
const SEQUENCE = { ids: [5, 6, 7, 8, 9, 10], from: 3 };
const SHORT = { ids: [5, 6, 7], from: 1 };

describe.each([
  ["only what is masked out", [MASKED, MASKED]],
  ["some of it masked out", [SEQUENCE, MASKED]],
  ["sequences of several lengths", [SEQUENCE, SHORT, SEQUENCE]],
])("a pass over %s", (_, sequences) => {
  test("is scored there", () => {
    scope(() => void scoreTokens(model, packBatch(sequences, model), { temperature: 0.7 }));
    expectAllThere();
  });

  test.each([false, true])("is learnt from there (checkpointing: %s)", (checkpointing) => {
    const options = { checkpointing, together: true, chunk: 2, temperature: 0.7 };
    scope(() => void backwardTokens(model, packBatch(sequences, model), (logps) => logps.neg(), options));
    expectAllThere();
  });
});

test.each<[string, Record<string, unknown>]>([
  ["the defaults", {}],
  ["every completion truncated and masked", { mask_truncated_completions: true }],
  ["a KL term and all corrections", { beta: 0.1, delta: 3, importance_sampling_level: "sequence", num_iterations: 2 }],
  ["cispo", { loss_type: "cispo", epsilon_high: 5 }],
])("a GRPO step is there: %s", (_, more) => {
  const keys = { model_name_or_path: "-", dataset_name: "-", reward_funcs: ["format"], ...more };
  const completion = { promptIds: [5], ids: [6, 7], truncated: true };
  const logps = { samplerLogps: [-1, -2], oldLogps: [-1, -2], refLogps: [-1, -2] };
  const step = [1, -1, 0].map((advantage) => ({ sample: { ...completion, ...logps, advantage }, weight: 1 }));
  accumulate({ model }, resolveGrpoRecipe(keys).recipe, { maxTokens: 64, checkpointing: false }, step);
  expectAllThere();
});

test.each([
  ["plainly", {}],
  ["with top-k, top-p and min-p", { topK: 5, topP: 0.9, minP: 0.01 }],
  ["greedily", { temperature: 0 }],
])("a decode step is there, sampling %s", (_, params) => {
  noGrad(() =>
    scope(() => {
      const { layers, kvHeads, headDim } = model.config;
      const shape = { layers, kvHeads, headDim, dtype: model.dtype, device: DEVICE };
      const cache = new PagedCache({ ...shape, blockSize: 4, maxLength: 12 });
      const none = () => keep(ops.zeros([1, kvHeads, 5, headDim], { device: DEVICE }));
      const make = () => Array.from({ length: layers }, none);
      cache.append({ keys: make(), values: make(), lengths: [5] }, [{ prompt: 0, count: 2 }]);
      const buffers = new DecodeBuffers(2, cache.width, DEVICE);
      buffers.setTables(cache.tables(2));
      // Uploads go from the host on purpose.
      made.host.clear();
      decodeStep({ model, cache, buffers, kernel: "math", params: { ...DEFAULT_SAMPLING, ...params } }, 2);
      cache.clear();
      buffers.dispose();
    }),
  );
  expectAllThere();
});
