import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { sample, tokenMask } from "../../src/engine/sampler.js";
import { DEFAULT_SAMPLING } from "../../src/engine/types.js";
import { manualSeed, ops, scope, tensor } from "../../src/torch/index.js";

// transformers' logits processors: test/golden/make_sampling.py
const golden = JSON.parse(readFileSync(new URL("../fixtures/engine/sampling.json", import.meta.url), "utf8")) as {
  logits: number[][];
  prompts: number[][];
  cases: { params: Record<string, number>; logprobs: (number | null)[][] }[];
};

/** Draws until every token of every row that has a fair chance was seen; returns frequencies and log-probabilities. */
function drawMany(params: Record<string, number>, draws: number) {
  const logits = tensor(golden.logits);
  const seen = params.repetitionPenalty ? tokenMask(golden.prompts, logits.size(1)) : null;
  const counts = golden.logits.map((row) => row.map(() => 0));
  const logprobs = golden.logits.map((row) => row.map((): number | null => null));
  for (let i = 0; i < draws; i++) {
    const [ids, lps] = scope(() => {
      const drawn = sample(logits, { ...DEFAULT_SAMPLING, ...params }, seen);
      return [drawn.ids.toArray(), drawn.samplingLogprobs.toArray()] as const;
    });
    ids.forEach((id, row) => {
      counts[row]![id]!++;
      logprobs[row]![id] = lps[row]!;
    });
  }
  return { counts, logprobs };
}

describe("sample draws from transformers' distribution", () => {
  test.each(golden.cases)("$params", ({ params, logprobs }) => {
    manualSeed(1);
    const draws = 1500;
    const drawn = drawMany(params, draws);
    logprobs.forEach((row, r) => {
      let chi2 = 0;
      for (const [id, logp] of row.entries()) {
        const seen = drawn.counts[r]![id]!;
        if (logp === null) {
          expect(seen).toBe(0);
          continue;
        }
        const expected = draws * Math.exp(logp);
        chi2 += (seen - expected) ** 2 / Math.max(expected, 1);
        const own = drawn.logprobs[r]![id];
        if (own !== null) expect(own).toBeCloseTo(logp, 4);
      }
      // 11 degrees of freedom: 31 is exceeded with probability 0.001; the seed is fixed.
      expect(chi2).toBeLessThan(31);
    });
  });
});

test("greedy takes the likeliest token, with probability 1 in its own distribution", () => {
  const logits = tensor(golden.logits);
  const drawn = sample(logits, { ...DEFAULT_SAMPLING, temperature: 0 }, null);
  expect(drawn.ids.toArray()).toEqual(golden.logits.map((row) => row.indexOf(Math.max(...row))));
  expect(drawn.samplingLogprobs.toArray()).toEqual([0, 0, 0]);
  const expected = ops.amax(logits.logSoftmax(-1), { dim: [-1] }).toArray();
  for (const [i, logp] of drawn.logprobs.toArray().entries()) expect(logp).toBeCloseTo(expected[i]!, 5);
});

test("logprobs are the model's own, whatever the temperature", () => {
  const logits = tensor(golden.logits);
  const drawn = sample(logits, { ...DEFAULT_SAMPLING, temperature: 0.5, topK: 4 }, null);
  const own = logits.logSoftmax(-1).gather(1, drawn.ids.unsqueeze(1)).toArray();
  for (const [i, logp] of drawn.logprobs.toArray().entries()) expect(logp).toBeCloseTo(own[i]!, 5);
});
