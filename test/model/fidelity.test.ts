/**
 * Our decoder computes what transformers computes.
 * - float32 log-probabilities of every golden checkpoint within 1e-4 (padded rows too), entropies and gradients alike
 * - bfloat16 no further from float32 than transformers' own bfloat16
 * - prefill followed by cached decoding gives the numbers of one pass, and transformers' greedy continuation
 */
import { describe, expect, it } from "vitest";
import { type Attend, type CausalLM, causal, causalSdpa, loadModel } from "../../src/model/index.js";
import { padBatch, scoreTokens } from "../../src/passes/index.js";
import { keep, noGrad, ops, scope, type Tensor, tensor } from "../../src/torch/index.js";
import { fixtureDir, fixtureNames, golden, idsOf, logprobsOf, maxDifference, naiveLogprobs } from "./fixtures.js";

/** The end-of-sequence id, which the golden continuations forbid. */
const END = 2;

describe.each(fixtureNames)("%s", (name) => {
  const expected = golden(name);

  it("gives transformers' log-probabilities in float32", () => {
    const model = loadModel(fixtureDir(name), { dtype: "float32" });
    expected.sequences.forEach((ids, i) => {
      expect(maxDifference(logprobsOf(model, ids), expected.logprobs[i]!)).toBeLessThan(1e-4);
    });
  });

  it("gives them for rows padded to one length, with entropies", () => {
    const model = loadModel(fixtureDir(name), { dtype: "float32" });
    const batch = padBatch(expected.sequences.map((ids) => ({ ids, from: 1 })));
    const scores = scoreTokens(model, batch);
    expect(maxDifference(scores.logps_N.toArray(), expected.logprobs.flat())).toBeLessThan(1e-4);
    expect(maxDifference(scores.entropy_N.toArray(), expected.entropy.flat())).toBeLessThan(1e-4);
  });

  it("gives transformers' gradients", () => {
    const model = loadModel(fixtureDir(name), { dtype: "float32" }).requireGrad(true);
    scope(() => naiveLogprobs(model, idsOf(expected.sequences[0]!).unsqueeze(0)).mean().neg().backward());
    const summary = Object.fromEntries(gradientSummary(model));
    expect(Object.keys(summary).sort()).toEqual(Object.keys(expected.grads).sort());
    for (const [weight, numbers] of Object.entries(expected.grads)) {
      expect(maxDifference(summary[weight]!, numbers), weight).toBeLessThan(2e-5);
    }
  });

  it("decodes with a cache as in one pass", () => {
    const model = loadModel(fixtureDir(name), { dtype: "float32" });
    const ids = expected.sequences[0]!;
    const cache = new Cache();
    const prefill = 20;
    const parts = [ids.slice(0, prefill), ...ids.slice(prefill).map((id) => [id])];
    const logits = noGrad(() => parts.map((part) => model.logits(model.forward(idsOf(part), cache.next(part.length)))));
    const logprobs = scope(() => {
      const all = ops
        .cat(logits)
        .logSoftmax(-1)
        .narrow(0, 0, ids.length - 1);
      return all.gather(-1, idsOf(ids.slice(1)).unsqueeze(-1)).toArray();
    });
    expect(maxDifference(logprobs, expected.logprobs[0]!)).toBeLessThan(1e-4);
  });

  it("continues greedily as transformers does", () => {
    const model = loadModel(fixtureDir(name), { dtype: "float32" });
    const ids = expected.sequences[0]!.slice(0, 5);
    for (const _ of expected.greedy) {
      const logits = noGrad(() => scope(() => model.logits(model.forward(idsOf(ids)).select(0, -1)).toArray()));
      ids.push(argmaxBut(END, logits));
    }
    expect(ids.slice(5)).toEqual(expected.greedy);
  });
});

it.each(["qwen2-untied-bf16-sharded", "gemma3-old-bf16"])(
  "%s in bfloat16 is as near to float32 as transformers' bfloat16",
  (name) => {
    const expected = golden(name);
    const model = loadModel(fixtureDir(name));
    expect(model.dtype).toBe("bfloat16");
    const ours = expected.sequences.flatMap((ids) => logprobsOf(model, ids));
    const theirs = expected.logprobs_bf16!.flat();
    const exact = expected.logprobs.flat();
    expect(maxDifference(ours, exact)).toBeLessThan(1.5 * maxDifference(theirs, exact));
    expect(meanDifference(ours, exact)).toBeLessThan(1.2 * meanDifference(theirs, exact));
  },
);

it("one dimension of ids is one row", () => {
  const model = loadModel(fixtureDir("qwen3"));
  const ids = idsOf([5, 6, 7]);
  const [flat, row] = noGrad(() => [model.forward(ids), model.forward(ids.unsqueeze(0))]);
  expect(flat!.shape).toEqual([3, 32]);
  expect(row!.shape).toEqual([1, 3, 32]);
  expect(flat!.toArray()).toEqual(row!.toArray());
});

it("takes positions per row; only their differences matter", () => {
  const model = loadModel(fixtureDir("qwen3"));
  const ids = tensor([...golden("qwen3").sequences[0]!.slice(0, 20)], [2, 10], "int64");
  const from = (starts: number[]): Attend => ({
    ...causal(10),
    positions: tensor(
      starts.flatMap((start) => Array.from({ length: 10 }, (_, i) => start + i)),
      [2, 10],
      "int64",
    ),
    length: Math.max(...starts) + 10,
  });
  const run = (starts: number[]) => noGrad(() => model.forward(ids, from(starts)).toArray());
  const plain = noGrad(() => model.forward(ids).toArray());
  expect(run([0, 0])).toEqual(plain);
  expect(maxDifference(run([3, 90]), plain)).toBeLessThan(1e-4);
});

/** Keeps every key and value it has seen: the simplest cached Attend. */
class Cache {
  private seen = 0;
  private readonly keys: Tensor[] = [];
  private readonly values: Tensor[] = [];

  next(tokens: number): Attend {
    const first = this.seen;
    this.seen += tokens;
    return {
      positions: tensor(
        Array.from({ length: tokens }, (_, i) => first + i),
        [tokens],
        "int64",
      ),
      length: this.seen,
      attend: (layer, q, k, v) => {
        const { index } = layer;
        this.keys[index] = keep(first === 0 ? k.clone() : ops.cat([this.keys[index]!, k], { dim: 2 }));
        this.values[index] = keep(first === 0 ? v.clone() : ops.cat([this.values[index]!, v], { dim: 2 }));
        return causalSdpa(layer, q, this.keys[index], this.values[index]);
      },
    };
  }
}

function gradientSummary(model: CausalLM): [string, number[]][] {
  return model.slots.flatMap((slot) => {
    const numbers = model.parameters().get(slot.name)!.grad!.toArray();
    let start = 0;
    return slot.pieces.map((piece): [string, number[]] => {
      const end = start + piece.rows * (slot.columns ?? 1);
      const part = numbers.slice(start, end);
      start = end;
      return [piece.name, [Math.hypot(...part), part.reduce((sum, g, i) => sum + g * Math.sin(i), 0)]];
    });
  });
}

function argmaxBut(forbidden: number, logits: number[]): number {
  const best = Math.max(...logits.filter((_, id) => id !== forbidden));
  return logits.findIndex((x, id) => id !== forbidden && x === best);
}

function meanDifference(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, i) => sum + Math.abs(x - b[i]!), 0) / a.length;
}
