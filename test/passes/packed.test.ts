/** The ways through the layers give what padded rows and autograd over everything give: packed sequences, checkpointed layers. */
import { describe, expect, it } from "vitest";
import { type CausalLM, loadModel } from "../../src/model/index.js";
import { sequenceStarts } from "../../src/passes/attend-packed.js";
import {
  type BackwardOptions,
  backwardTokens,
  packBatch,
  padBatch,
  type ScoredSequence,
  scoreTokens,
  type TokenBatch,
} from "../../src/passes/index.js";
import { liveBytes, liveTensors, setOwnOperators, type Tensor, tensor } from "../../src/torch/index.js";
import { fixtureDir, golden, maxDifference } from "../model/fixtures.js";

// Prompts are shared where attention is our own operator, which it is not on every processor.
setOwnOperators("all");

const NAMES = [
  ...["qwen2-tied", "qwen3", "llama3-rope-new-biased"],
  // With windows that sequences and what they share exceed, partial rotation, layers without any, norms after attention.
  ...["mistral-window", "phi3-window", "phi3-longrope-partial", "smollm3", "gemma3", "olmo2"],
];
const IDS = golden("qwen3").sequences;
/** Many lengths, so that blocks have padding (1 of it at most) and several rows, and one sequence of which nothing is scored. */
const SEQUENCES: ScoredSequence[] = [
  { ids: IDS[0]!, from: 20 },
  { ids: IDS[0]!.slice(0, 41), from: 1 },
  { ids: IDS[1]!, from: 2 },
  { ids: IDS[0]!.slice(3, 43), from: 39 },
  { ids: IDS[0]!.slice(1, 41), from: 5 },
  { ids: IDS[2]!.slice(0, 1), from: 1 },
  // One prompt's completions: of some tokens, of one, of none that is scored.
  { ids: [...IDS[0]!.slice(0, 20), ...IDS[1]!.slice(0, 15)], from: 20 },
  { ids: IDS[0]!.slice(0, 21), from: 20 },
  { ids: IDS[0]!.slice(0, 20), from: 20 },
];

const slope = (logps: Tensor, start: number) =>
  tensor(logps.toArray().map((x, i) => Math.sin(start + i + 1) * (1 + x)));

const fresh = (name: string) => loadModel(fixtureDir(name), { dtype: "float32" }).requireGrad(true);

function gradientsOf(model: CausalLM): Map<string, number[]> {
  return new Map([...model.parameters()].map(([name, p]) => [name, p.grad!.toArray()]));
}

function backwardOf(name: string, batches: (model: CausalLM) => TokenBatch[], options: BackwardOptions = {}) {
  const model = fresh(name);
  const logps = batches(model).map((batch) => backwardTokens(model, batch, slope, options).logps_N.toArray());
  return { logps, gradients: gradientsOf(model) };
}

function expectSame(ours: Map<string, number[]>, expected: Map<string, number[]>, bound = 1e-5) {
  expect([...ours.keys()]).toEqual([...expected.keys()]);
  for (const [name, gradient] of expected) {
    const scale = gradient.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
    expect(maxDifference(ours.get(name)!, gradient) / scale, name).toBeLessThan(bound);
  }
}

/** What `packBatch` sees of a model whose heads our attention operator does not take. */
const withoutOperator = ({ device, dtype, config }: CausalLM) => ({
  device,
  dtype,
  config: { ...config, headDim: 20 },
});

describe.each(NAMES)("%s", (name) => {
  const padded = backwardOf(name, () => [padBatch(SEQUENCES)]);

  it("packed gives the padded pass's log-probabilities and gradients", () => {
    const ours = backwardOf(name, (model) => [packBatch(SEQUENCES, model)]);
    expect(maxDifference(ours.logps[0]!, padded.logps[0]!)).toBeLessThan(2e-5);
    expectSame(ours.gradients, padded.gradients);
    const model = fresh(name);
    const scored = scoreTokens(model, packBatch(SEQUENCES, model)).logps_N.toArray();
    expect(maxDifference(scored, padded.logps[0]!)).toBeLessThan(2e-5);
  });

  it("attention block by block gives the same", () => {
    const ours = backwardOf(name, (model) => [packBatch(SEQUENCES, withoutOperator(model))]);
    expect(maxDifference(ours.logps[0]!, padded.logps[0]!)).toBeLessThan(2e-5);
    expectSame(ours.gradients, padded.gradients);
  });

  it("checkpointed gives the same gradients, also summed over micro-batches", () => {
    const ours = backwardOf(name, (model) => [packBatch(SEQUENCES, model)], { checkpointing: true });
    expect(maxDifference(ours.logps[0]!, padded.logps[0]!)).toBeLessThan(2e-5);
    expectSame(ours.gradients, padded.gradients);

    const halves = () => [padBatch(SEQUENCES.slice(0, 2)), padBatch(SEQUENCES.slice(2))];
    const [plain, checkpointed] = [backwardOf(name, halves), backwardOf(name, halves, { checkpointing: true })];
    expectSame(checkpointed.gradients, plain.gradients);
  });
});

it("in bfloat16 packed is as near to float32 as padded", () => {
  const score = (dtype: "float32" | "bfloat16", make: (model: CausalLM) => TokenBatch) => {
    const model = loadModel(fixtureDir("qwen3"), { dtype });
    return scoreTokens(model, make(model)).logps_N.toArray();
  };
  const exact = score("float32", () => padBatch(SEQUENCES));
  const meanError = (logps: number[]) => logps.reduce((sum, x, i) => sum + Math.abs(x - exact[i]!), 0) / logps.length;
  const padded = meanError(score("bfloat16", () => padBatch(SEQUENCES)));
  const packed = meanError(score("bfloat16", (model) => packBatch(SEQUENCES, model)));
  expect(packed).toBeLessThan(1.2 * padded);
  expect(packed).toBeGreaterThan(0);
});

it("packs tokens, not rows: nothing is padded, shared or last tokens are there once or not at all", () => {
  const model = fresh("qwen3");
  const tokens = SEQUENCES.reduce((sum, { ids }) => sum + ids.length, 0);
  // Three of the four that begin with the same 20 tokens have them from another; six sequences end with a token that only is predicted.
  const inputs = tokens - 3 * 20 - 7;
  expect(packBatch(SEQUENCES, model).ids_BT.shape).toEqual([1, inputs]);
  const bfloat16 = { ...withoutOperator(model), config: model.config, dtype: "bfloat16" as const };
  expect(packBatch(SEQUENCES, bfloat16).ids_BT.shape).toEqual([1, 64 * Math.ceil(inputs / 64)]);
  expect(packBatch(SEQUENCES, withoutOperator(model)).ids_BT.shape).toEqual([1, tokens + 3]);
  expect(padBatch(SEQUENCES).ids_BT.shape).toEqual([9, 60]);
});

it("checkpointing leaves only the scores behind, and frozen parameters without gradients", () => {
  const model = fresh("qwen2-tied");
  const batch = packBatch(SEQUENCES, model);
  for (const weight of model.parameters().values()) if (weight.dim === 2) weight.requiresGrad = false;
  const step = () => {
    const scores = backwardTokens(model, batch, slope, { checkpointing: true });
    for (const each of Object.values(scores)) each.dispose();
  };
  step();
  for (const weight of model.parameters().values()) expect(weight.grad === null).toBe(weight.dim === 2);
  const [tensors, bytes] = [liveTensors(), liveBytes()];
  for (let i = 0; i < 10; i++) step();
  expect(liveTensors()).toBeLessThanOrEqual(tensors);
  expect(liveBytes()).toBeLessThanOrEqual(bytes);
});

it("refuses sequences that a rope_type would rotate otherwise", () => {
  const model = loadModel(fixtureDir("phi3-longrope-partial"));
  const ids = Array.from({ length: 65 }, (_, i) => i);
  expect(packBatch([{ ids: ids.slice(1), from: 1 }], model).lengths).toEqual([63]);
  expect(() => packBatch([{ ids, from: 1 }], model)).toThrow(/65 tokens.*up to 64/);
});

it("sequence starts, as the kernel for various lengths takes them", () => {
  const blocks = [
    { rows: 2, length: 3 },
    { rows: 1, length: 5 },
  ];
  expect(sequenceStarts(blocks)).toEqual([0, 3, 6, 11]);
});
