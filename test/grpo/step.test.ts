/** Completions without gradient are scored, not learnt from: gradient, loss and metrics stay what a pass over all of them gives. */
import { describe, expect, test } from "vitest";
import { Objective, report } from "../../src/grpo/losses/index.js";
import type { Sample } from "../../src/grpo/sample.js";
import { scoreEntropies, toScored } from "../../src/grpo/scoring.js";
import { accumulate, lossTokens, type Weighted } from "../../src/grpo/step.js";
import { type CausalLM, loadModel } from "../../src/model/index.js";
import { backwardTokens, padBatch } from "../../src/passes/index.js";
import { resolveGrpoRecipe } from "../../src/recipe/index.js";
import { fixtureDir, golden, maxDifference } from "../model/fixtures.js";

const IDS = golden("qwen3").sequences[0]!;
const LENGTHS = [12, 20, 7, 20, 15, 9];
/** Two groups, in the second all completions are equally good. */
const ADVANTAGES = [1.2, -0.8, -0.4, 0, 0, 0];

function samples(advantages = ADVANTAGES): Weighted[] {
  return LENGTHS.map((length, i) => {
    const ids = IDS.slice(5 + i, 5 + i + length);
    const logps = ids.map((_, t) => -5 + Math.sin(7 * i + t));
    const sample: Sample = {
      promptIds: IDS.slice(0, 4 + (i % 2)),
      ids,
      truncated: i % 3 === 1,
      advantage: advantages[i]!,
      samplerLogps: logps,
      oldLogps: logps.map((x, t) => x + 0.3 * Math.cos(t)),
      refLogps: logps.map((x) => x - 0.1),
    };
    return { sample, weight: 0.1 / (i + 1) };
  });
}

function prepare(more: Record<string, unknown>) {
  const keys = { model_name_or_path: "-", dataset_name: "-", reward_funcs: ["format"], ...more };
  const { recipe } = resolveGrpoRecipe(keys);
  return { recipe, model: loadModel(fixtureDir("qwen3"), { dtype: "float32" }).requireGrad(true) };
}

function run(keys: Record<string, unknown>, step = samples(), passes = { maxTokens: 64, checkpointing: false }) {
  const { recipe, model } = prepare(keys);
  const { loss, stats } = accumulate({ model }, recipe, passes, step);
  return { loss, metrics: report(stats), gradients: gradientsOf(model) };
}

/** One backward pass over all completions, in padded rows. */
function naive(keys: Record<string, unknown>, step = samples()) {
  const { recipe, model } = prepare(keys);
  const counts = ({ sample }: Weighted) => !(recipe.mask_truncated_completions && sample.truncated);
  const batch = padBatch(step.filter(counts).map(({ sample }) => toScored(sample)));
  const objective = new Objective(lossTokens(step, recipe, "cpu"), recipe);
  const scores = backwardTokens(model, batch, objective.gradient, { temperature: recipe.temperature });
  const metrics = report(objective.stats(scores.entropy_N));
  return { loss: objective.loss, metrics, gradients: gradientsOf(model) };
}

const gradientsOf = (model: CausalLM): number[][] => [...model.parameters().values()].map((p) => p.grad!.toArray());

function expectSame(ours: ReturnType<typeof run>, expected: ReturnType<typeof run>) {
  expect(ours.loss).toBeCloseTo(expected.loss, 5);
  for (const [name, value] of Object.entries(expected.metrics)) expect(ours.metrics[name], name).toBeCloseTo(value, 4);
  expected.gradients.forEach((gradient, i) => {
    const scale = gradient.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
    expect(maxDifference(ours.gradients[i]!, gradient) / scale).toBeLessThan(1e-5);
  });
}

const LOSSES = ["grpo", "bnpo", "dr_grpo", "dapo", "cispo", "sapo"].map((loss_type) => ({ loss_type }));

describe("some without advantage: as one padded pass over all", () => {
  test.each([
    ...LOSSES,
    { importance_sampling_level: "sequence" },
    { mask_truncated_completions: true },
    { vllm_importance_sampling_correction: true, vllm_importance_sampling_mode: "sequence_truncate" },
    { vllm_importance_sampling_correction: true, vllm_importance_sampling_mode: "token_mask" },
    { beta: 0.04 },
  ])("%j", (keys) => {
    expectSame(run(keys), naive(keys));
  });

  test.each([
    { maxTokens: 1, checkpointing: false },
    { maxTokens: 1e6, checkpointing: false },
    { maxTokens: 40, checkpointing: true },
  ])("however the passes are cut (%j)", (passes) => {
    for (const keys of [{}, { importance_sampling_level: "sequence", beta: 0.04 }]) {
      expectSame(run(keys, samples(), passes), naive(keys));
    }
  });
});

describe("with terms of entropy", () => {
  const keys = { entropy_coef: 0.3, top_entropy_quantile: 0.5 };
  /** Every second token kept, a bonus for each of those. */
  const step = (bonus: number) =>
    samples().map((each) => ({ ...each, entropy: { keep: each.sample.ids.map((_, t) => t % 2 === 0), bonus } }));

  test("however the passes are cut", () => {
    const whole = run(keys, step(0.01), { maxTokens: 1e6, checkpointing: false });
    expectSame(run(keys, step(0.01), { maxTokens: 1, checkpointing: false }), whole);
    expectSame(run(keys, step(0.01), { maxTokens: 40, checkpointing: true }), whole);
  });

  test("the loss is the policy's less the bonus; tokens left out have no part in it", () => {
    const [plain, rewarded] = [run(keys, step(0)), run(keys, step(0.01))];
    const entropies = scoreEntropies(
      prepare(keys).model,
      step(0).map(({ sample }) => sample),
      1,
      { maxTokens: 64 },
    );
    const kept = entropies.flatMap((row) => row.filter((_, t) => t % 2 === 0));
    expect(plain.loss - rewarded.loss).toBeCloseTo(0.01 * kept.reduce((a, b) => a + b, 0), 4);
    const nothing = step(0).map((each) => ({ ...each, entropy: { keep: each.sample.ids.map(() => false), bonus: 0 } }));
    expect(run(keys, nothing).loss).toBeCloseTo(0, 20);
  });
});

test("none with advantage: gradients of zero, not none, so that the optimizer's momentum goes on; metrics as ever", () => {
  const step = samples(ADVANTAGES.map(() => 0));
  const { loss, metrics, gradients } = run({}, step);
  expect(loss).toBeCloseTo(0, 20);
  for (const gradient of gradients) expect(gradient.every((g) => g === 0)).toBe(true);
  expect(metrics.entropy).toBeCloseTo(naive({}, step).metrics.entropy!, 4);
});
