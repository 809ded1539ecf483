/** Loss and gradient of a step: transformers' numbers, and ours the naive way. */
import { describe, expect, test } from "vitest";
import { type CausalLM, loadModel } from "../../src/model/index.js";
import { resolveSftRecipe } from "../../src/recipe/index.js";
import { evaluate, learnStep } from "../../src/sft/step.js";
import type { Example } from "../../src/sft/types.js";
import { noGrad, ops, scope, type Tensor } from "../../src/torch/index.js";
import { Learner } from "../../src/training/learner.js";
import { fixtureDir, golden, idsOf, maxDifference, naiveLogprobs } from "../model/fixtures.js";

const WHOLE = { maxTokens: 1e6, checkpointing: false };
const ONE_EACH = { maxTokens: 1, checkpointing: false };
const SOME = { maxTokens: 64, checkpointing: false };
const FAMILIES = ["qwen2-tied", "qwen3", "llama3-rope-old"];

/** Keeps gradients as they are and weights where they are, so that both can be looked at. */
class Frozen extends Learner {
  gradients: number[] = [];
  override update(stepsDone: number) {
    const grads = [...this.model.parameters().values()].map((weight) => weight.grad!);
    this.gradients = grads.flatMap((grad) => grad.toArray());
    return super.update(stepsDone);
  }
}

function step(model: CausalLM, examples: readonly Example[], plan: typeof WHOLE) {
  const { recipe } = resolveSftRecipe({
    model_name_or_path: "-",
    dataset_name: "-",
    learning_rate: 0,
    max_grad_norm: 0,
  });
  const learner = new Frozen(model, recipe, 10);
  const metrics = learnStep(learner, examples, 0, plan);
  return { metrics, gradients: learner.gradients };
}

const mean = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;
const wholes = (name: string): Example[] => golden(name).sequences.map((ids) => ({ ids, from: 1 }));

describe.each(FAMILIES)("%s against transformers", (name) => {
  const { logprobs, entropy, grads } = golden(name);

  test.each([WHOLE, ONE_EACH, SOME])("loss and entropy over all tokens (%j)", (plan) => {
    const { metrics } = step(loadModel(fixtureDir(name), { copy: true }), wholes(name), plan);
    expect(metrics.loss).toBeCloseTo(-mean(logprobs.flat()), 5);
    expect(metrics.entropy).toBeCloseTo(mean(entropy.flat()), 5);
  });

  test("gradient norm of one sequence", () => {
    const { metrics } = step(loadModel(fixtureDir(name), { copy: true }), wholes(name).slice(0, 1), WHOLE);
    const norm = Math.sqrt(Object.values(grads).reduce((sum, [l2]) => sum + l2 ** 2, 0));
    expect(Number(metrics.grad_norm) / norm).toBeCloseTo(1, 5);
  });

  test("loss over completions only", () => {
    const examples = golden(name).sequences.map((ids, i) => ({ ids, from: Math.min(1 + 7 * i, ids.length - 1) }));
    const learnt = examples.flatMap(({ from }, i) => logprobs[i]!.slice(from - 1));
    const model = loadModel(fixtureDir(name), { copy: true });
    expect(step(model, examples, SOME).metrics.loss).toBeCloseTo(-mean(learnt), 5);
    expect(evaluate(model, examples, SOME).loss).toBeCloseTo(-mean(learnt), 5);
  });
});

describe("against the naive way: whole logits, one sequence after the other, autograd", () => {
  const examples = golden("qwen3").sequences.map((ids, i) => ({ ids, from: Math.min(1 + 7 * i, ids.length - 1) }));
  const total = examples.reduce((sum, { ids, from }) => sum + ids.length - from, 0);

  function naive(): { gradients: number[]; accuracy: number } {
    const model = loadModel(fixtureDir("qwen3"), { copy: true }).requireGrad(true);
    let hits = 0;
    scope(() => {
      for (const { ids, from } of examples) {
        const row = idsOf(ids).unsqueeze(0);
        const learnt: Tensor = naiveLogprobs(model, row).narrow(1, from - 1, ids.length - from);
        learnt
          .sum()
          .mul(-1 / total)
          .backward();
        const likeliest = noGrad(() => ops.argmax(model.logits(model.forward(row)), { dim: -1 }).toArray());
        hits += ids.slice(from).filter((id, i) => likeliest[from - 1 + i] === id).length;
      }
    });
    const gradients = [...model.parameters().values()].flatMap((weight) => weight.grad!.toArray());
    return { gradients, accuracy: hits / total };
  }
  const reference = naive();

  test.each([WHOLE, ONE_EACH, SOME])("gradient, however the step is accumulated (%j)", (plan) => {
    const { gradients, metrics } = step(loadModel(fixtureDir("qwen3"), { copy: true }), examples, plan);
    expect(maxDifference(gradients, reference.gradients)).toBeLessThan(1e-6);
    expect(metrics.mean_token_accuracy).toBe(reference.accuracy);
  });

  test("greedy tokens are all hits", () => {
    const { greedy, sequences } = golden("qwen3");
    const start = sequences[0]!.slice(0, 5);
    const model = loadModel(fixtureDir("qwen3"));
    const followed = { ids: [...start, ...greedy], from: start.length };
    expect(evaluate(model, [followed], WHOLE).mean_token_accuracy).toBe(1);
  });
});
