/**
 * The chunked head gives what whole logits and autograd give: log-probabilities, entropies, and every parameter's gradient,
 * whatever the chunk, the temperature, tied or not, padded or not.
 */
import { describe, expect, it } from "vitest";
import { type CausalLM, loadModel } from "../../src/model/index.js";
import { backwardTokens, padBatch, scoreTokens } from "../../src/passes/index.js";
import { liveBytes, liveTensors, noGrad, ops, scope, type Tensor, tensor } from "../../src/torch/index.js";
import { fixtureDir, golden, maxDifference, naiveLogprobs } from "./fixtures.js";

const SEQUENCES = golden("qwen3").sequences;
/** Some loss with a different slope at each token: Σ wₙ (logpₙ + ½ logpₙ²). */
const weightOf = (n: number) => Math.sin(n + 1);
const lossGradient = (logps: Tensor, start: number) =>
  tensor(logps.toArray().map((x, i) => weightOf(start + i) * (1 + x)));

function gradientsOf(model: CausalLM): Map<string, number[]> {
  return new Map([...model.parameters()].map(([name, p]) => [name, p.grad!.toArray()]));
}

/** Each sequence alone, whole logits, autograd through everything. */
function naive(dir: string, from: number[], temperature: number) {
  const model = loadModel(dir, { dtype: "float32" }).requireGrad(true);
  const logps: number[] = [];
  SEQUENCES.forEach((ids, s) => {
    scope(() => {
      const all = naiveLogprobs(model, tensor(ids, [1, ids.length], "int64"), temperature).squeeze(0);
      const scored = all.narrow(0, from[s]! - 1, ids.length - from[s]!);
      const weights = tensor(Array.from({ length: scored.numel }, (_, i) => weightOf(logps.length + i)));
      weights
        .mul(scored.add(scored.mul(scored).mul(0.5)))
        .sum()
        .backward();
      logps.push(...scored.toArray());
    });
  });
  return { logps, gradients: gradientsOf(model) };
}

describe.each([
  ["qwen2-tied", 1, 7],
  ["qwen2-untied-bf16-sharded", 1, 1000],
  ["qwen3", 0.7, 16],
  ["llama3-rope-new-biased", 1.3, 1],
])("%s at temperature %f, chunks of %i", (name, temperature, chunk) => {
  const from = [20, 3, 1];
  const dir = fixtureDir(name);
  const expected = naive(dir, from, temperature);
  const batch = padBatch(SEQUENCES.map((ids, s) => ({ ids, from: from[s]! })));

  it("agrees in log-probabilities", () => {
    const { logps_N } = scoreTokens(loadModel(dir, { dtype: "float32" }), batch, { temperature, chunk });
    expect(maxDifference(logps_N.toArray(), expected.logps)).toBeLessThan(1e-5);
  });

  it("agrees in gradients", () => {
    const model = loadModel(dir, { dtype: "float32" }).requireGrad(true);
    const { logps_N } = backwardTokens(model, batch, lossGradient, { temperature, chunk });
    expect(maxDifference(logps_N.toArray(), expected.logps)).toBeLessThan(1e-5);
    const ours = gradientsOf(model);
    for (const [parameter, gradient] of expected.gradients) {
      const scale = Math.max(1, ...gradient.map(Math.abs));
      expect(maxDifference(ours.get(parameter)!, gradient) / scale, parameter).toBeLessThan(1e-5);
    }
  });
});

it.each([
  [1, 1000],
  [0.7, 9],
])(
  "pushes a loss's slope by the entropies down as autograd does (temperature %f, chunks of %i)",
  (temperature, chunk) => {
    const ids = SEQUENCES[1]!;
    const load = () => loadModel(fixtureDir("qwen3"), { dtype: "float32" }).requireGrad(true);
    const slope = (n: number) => Math.cos(3 * n);
    const model = load();
    const batch = padBatch([{ ids, from: 3 }]);
    const slopes = Array.from({ length: ids.length - 3 }, (_, n) => slope(n));
    const entropyGradient_N = tensor(slopes, undefined, "float32");
    const { entropy_N } = backwardTokens(model, batch, lossGradient, { temperature, chunk, entropyGradient_N });
    const [ours, entropies] = [gradientsOf(model), entropy_N.toArray()];

    const plain = load();
    scope(() => {
      const hidden = plain.forward(batch.ids_BT, batch.attend).squeeze(0);
      const logits = plain.logits(hidden.narrow(0, 2, slopes.length)).div(temperature);
      const all = ops.logSoftmax(logits, -1);
      const logps = all.gather(-1, batch.targets_N.unsqueeze(-1)).squeeze(-1);
      const weights = tensor(slopes.map((_, n) => weightOf(n)));
      const entropy = all.exp().mul(all).sum(-1).neg();
      expect(maxDifference(entropies, entropy.toArray())).toBeLessThan(1e-5);
      const byLogps = weights.mul(logps.add(logps.mul(logps).mul(0.5))).sum();
      byLogps.add(entropyGradient_N.mul(entropy).sum()).backward();
    });
    for (const [name, gradient] of gradientsOf(plain)) {
      const scale = Math.max(1, ...gradient.map(Math.abs));
      expect(maxDifference(ours.get(name)!, gradient) / scale, name).toBeLessThan(1e-5);
    }
  },
);

it("tells the most likely token's log-probability, equal to the target's where that is the target", () => {
  const ids = [...SEQUENCES[0]!.slice(0, 5), ...golden("qwen3").greedy.slice(0, 1), 90];
  const { logps_N, best_N } = scoreTokens(loadModel(fixtureDir("qwen3")), padBatch([{ ids, from: 1 }]), { chunk: 4 });
  const [logps, best] = [logps_N.toArray(), best_N.toArray()];
  expect(best[4]).toBe(logps[4]);
  logps.forEach((x, i) => {
    expect(best[i]!).toBeGreaterThanOrEqual(x);
  });
});

it("asks once, with all log-probabilities, where a loss needs them together", () => {
  const batch = padBatch(SEQUENCES.map((ids) => ({ ids, from: 1 })));
  const run = (chunk: number) => {
    const model = loadModel(fixtureDir("qwen3"), { dtype: "float32" }).requireGrad(true);
    const asked: number[] = [];
    // The slope of (Σ logp)² / 2 is Σ logp, at every token.
    const gradient = (logps: Tensor) => {
      asked.push(logps.numel);
      return ops.onesLike(logps).mul(logps.sum());
    };
    backwardTokens(model, batch, gradient, { chunk, together: true });
    return { asked, gradients: gradientsOf(model) };
  };
  const [whole, chunked] = [run(1000), run(10)];
  expect([whole.asked, chunked.asked]).toEqual([[76], [76]]);
  for (const [name, gradient] of whole.gradients) {
    const scale = Math.max(1, ...gradient.map(Math.abs));
    expect(maxDifference(chunked.gradients.get(name)!, gradient) / scale, name).toBeLessThan(1e-5);
  }
});

it("accumulates over calls, and leaves frozen parameters alone", () => {
  const model = loadModel(fixtureDir("qwen2-untied-bf16-sharded"), { dtype: "float32" }).requireGrad(true);
  const head = model.parameters().get("lm_head.weight")!;
  const batch = padBatch([{ ids: SEQUENCES[1]!, from: 1 }]);
  backwardTokens(model, batch, lossGradient);
  const once = gradientsOf(model);
  backwardTokens(model, batch, lossGradient);
  for (const [name, gradient] of gradientsOf(model)) {
    expect(
      maxDifference(
        gradient,
        once.get(name)!.map((g) => 2 * g),
      ),
      name,
    ).toBeLessThan(1e-4);
  }
  head.grad = null;
  head.requiresGrad = false;
  backwardTokens(model, batch, lossGradient);
  expect(head.grad).toBe(null);
});

it("improbable tokens keep their log-probability", () => {
  const model = loadModel(fixtureDir("qwen3"), { dtype: "float32" });
  scope(() => noGrad(() => ops.mul_(model.head_VD, 60)));
  const batch = padBatch([{ ids: SEQUENCES[0]!, from: 1 }]);
  const expected = noGrad(() => naiveLogprobs(model, tensor(SEQUENCES[0]!, [1, 60], "int64")).toArray());
  expect(Math.min(...expected)).toBeLessThan(-200);
  const ours = scoreTokens(model, batch).logps_N.toArray();
  ours.forEach((x, i) => {
    expect(Math.abs(x - expected[i]!)).toBeLessThan(1e-5 * Math.abs(expected[i]!) + 1e-4);
  });
});

it("leaves only the scores behind", () => {
  const model = loadModel(fixtureDir("qwen3"), { dtype: "float32" }).requireGrad(true);
  const batch = padBatch(SEQUENCES.map((ids) => ({ ids, from: 1 })));
  const step = () => {
    const scores = backwardTokens(model, batch, lossGradient, { chunk: 10 });
    for (const tensor of Object.values(scores)) tensor.dispose();
  };
  step();
  const [tensors, bytes] = [liveTensors(), liveBytes()];
  for (let i = 0; i < 20; i++) step();
  // At most: garbage collection may meanwhile free what earlier tests left.
  expect(liveTensors()).toBeLessThanOrEqual(tensors);
  expect(liveBytes()).toBeLessThanOrEqual(bytes);
});

it("chunks that are filled up below float32 stay near float32, whatever the chunk", () => {
  const batch = padBatch(SEQUENCES.map((ids) => ({ ids, from: 1 })));
  const run = (dtype: "float32" | "bfloat16", chunk: number) => {
    const model = loadModel(fixtureDir("qwen3"), { dtype }).requireGrad(true);
    const scores = backwardTokens(model, batch, lossGradient, { chunk });
    for (const t of Object.values(scores)) expect(t.numel).toBe(batch.targets_N.numel);
    return { logps: scores.logps_N.toArray(), head: model.head_VD.grad!.to("float32") };
  };
  const exact = run("float32", 1000);
  const size = ops.amax(ops.abs(exact.head)).item();
  // One chunk that is no multiple of 64, and several.
  for (const chunk of [1000, 40]) {
    const { logps, head } = run("bfloat16", chunk);
    expect(maxDifference(logps, exact.logps)).toBeLessThan(0.15);
    expect(ops.amax(ops.abs(head.sub(exact.head))).item() / size).toBeLessThan(0.05);
  }
});
