/**
 * Every loss is TRL's: golden loss, gradient by each token's log-probability and metrics from its own code
 * (test/golden/make_losses.py), at gradient accumulation, with tokens packed and padding left out.
 * - computed in one piece, and in chunks where the loss allows it
 * - micro-batches other than TRL's give the same step
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type EntropyOptions, entropyTerms } from "../../src/grpo/entropy.js";
import {
  LOSSES,
  type LossOptions,
  type LossTokens,
  mergeStats,
  Objective,
  report,
  type Stats,
} from "../../src/grpo/losses/index.js";
import { ops, scope, type Tensor, tensor } from "../../src/torch/index.js";

interface Sequence {
  logps: number[];
  old: number[];
  ref: number[];
  sampling: number[];
  entropy: number[];
  finished: boolean;
}

interface Case {
  name: string;
  batch: string;
  micro: number;
  on_policy: boolean;
  options: Omit<LossOptions, `vllm_${string}`> &
    EntropyOptions & {
      mask_truncated_completions: boolean;
      max_completion_length: number;
      correction: {
        mode: LossOptions["vllm_importance_sampling_mode"];
        clip_max: number | null;
        clip_min: number | null;
      } | null;
    };
  advantages: number[];
  loss: number;
  grads: number[][];
  /** By each token's entropy; null without entropy_coef. */
  entropy_grads: number[][] | null;
  metrics: Record<string, number | null>;
}

const GOLDEN = JSON.parse(readFileSync(new URL("../fixtures/losses/losses.json", import.meta.url), "utf8")) as {
  batches: Record<string, Sequence[]>;
  cases: Case[];
};

interface StepResult {
  loss: number;
  /** Per sequence, empty if masked out. */
  gradients: number[][];
  entropyGradients: number[][];
  stats: Stats[];
}

function optionsOf({ options }: Case): LossOptions {
  const { correction } = options;
  return {
    ...options,
    vllm_importance_sampling_correction: correction !== null,
    vllm_importance_sampling_mode: correction?.mode ?? "sequence_mask",
    vllm_importance_sampling_clip_max: correction?.clip_max ?? null,
    vllm_importance_sampling_clip_min: correction?.clip_min ?? null,
  };
}

/** One optimizer step, computed `rows` sequences at a time (averaged as TRL's micro-batches all the same), `chunk` tokens at a time. */
function step(test: Case, rows: number, chunk: number): StepResult {
  const options = optionsOf(test);
  const sequences = GOLDEN.batches[test.batch]!;
  const lengths = sequences.map((s) => (test.options.mask_truncated_completions && !s.finished ? 0 : s.logps.length));
  const weights = LOSSES[options.loss_type].weights({
    lengths,
    perMicroBatch: test.micro,
    maxCompletionLength: test.options.max_completion_length,
    tokensPerStep: lengths.reduce((a, b) => a + b, 0),
  });
  const entropies = sequences.map((s, n) => s.entropy.slice(0, lengths[n]));
  const terms = entropyTerms(entropies, test.options, { perMicroBatch: test.micro, perQuantile: test.micro });
  const bonuses = entropies.map((row, n) => row.map((_, t) => ((terms[n]!.keep?.[t] ?? true) ? terms[n]!.bonus : 0)));
  const bonus = bonuses.flatMap((row, n) => row.map((x, t) => x * entropies[n]![t]!)).reduce((a, b) => a + b, 0);
  const entropyGradients = bonuses.map((row) => row.map((x) => -x));
  const result: StepResult = { loss: -bonus, gradients: [], entropyGradients, stats: [] };
  for (let start = 0; start < sequences.length; start += rows) {
    const range = Array.from({ length: rows }, (_, i) => start + i);
    const flat = (of: (n: number) => number[]) => range.flatMap((n) => of(n).slice(0, lengths[n]));
    const column = (key: "logps" | "old" | "ref" | "sampling" | "entropy") =>
      tensor(
        flat((n) => sequences[n]![key]),
        undefined,
        "float32",
      );
    const repeated = (values: number[]) => tensor(range.flatMap((n) => Array<number>(lengths[n]!).fill(values[n]!)));
    const tokens: LossTokens = {
      old_T: test.on_policy ? null : column("old"),
      ref_T: options.beta === 0 ? null : column("ref"),
      sampling_T: options.vllm_importance_sampling_correction ? column("sampling") : null,
      advantages_T: repeated(test.advantages),
      weights_T: repeated(weights),
      keep_T: tensor(flat((n) => entropies[n]!.map((_, t) => ((terms[n]!.keep?.[t] ?? true) ? 1 : 0)))),
      sequence_T: tensor(
        range.flatMap((n, i) => Array<number>(lengths[n]!).fill(i)),
        undefined,
        "int64",
      ),
      lengths: range.map((n) => lengths[n]!),
    };
    const objective = new Objective(tokens, options);
    const slopes = inChunks(objective, column("logps"), objective.needsWholeSequences ? 1000 : chunk);
    result.loss += objective.loss;
    result.stats.push(objective.stats(column("entropy")));
    let at = 0;
    for (const n of range) {
      result.gradients.push(slopes.slice(at, at + lengths[n]!));
      at += lengths[n]!;
    }
  }
  return result;
}

function inChunks(objective: Objective, logps_T: Tensor, chunk: number): number[] {
  const slopes: number[] = [];
  for (let start = 0; start < logps_T.size(0); start += chunk) {
    const part = logps_T.narrow(0, start, Math.min(chunk, logps_T.size(0) - start));
    slopes.push(...objective.gradient(part, start).toArray());
  }
  return slopes;
}

function expectGolden(test: Case, { loss, gradients, entropyGradients }: StepResult): void {
  expect(Math.abs(loss - test.loss)).toBeLessThan(1e-5);
  expectSlopes(test.grads, gradients);
  if (test.entropy_grads) expectSlopes(test.entropy_grads, entropyGradients);
}

function expectSlopes(goldens: readonly number[][], slopes: readonly number[][]): void {
  goldens.forEach((golden, n) => {
    const ours = slopes[n]!;
    // Tokens masked out are not packed: TRL's gradient there is 0.
    golden.forEach((g, t) => {
      expect(Math.abs((ours[t] ?? 0) - g), `sequence ${n}, token ${t}`).toBeLessThan(1e-5);
    });
  });
}

describe.each(GOLDEN.cases)("$name", (test) => {
  it("loss and gradient are TRL's", () => {
    scope(() => expectGolden(test, step(test, test.micro, 1000)));
  });

  it("and so they are in chunks of other micro-batches", () => {
    scope(() => expectGolden(test, step(test, test.micro === 2 ? 4 : 2, 3)));
  });

  it("metrics are TRL's", () => {
    scope(() => {
      // TRL averages what it measures over micro-batches; a least or greatest of nothing is NaN there, absent here.
      const measured = step(test, test.micro, 3).stats.map(report);
      for (const [name, golden] of Object.entries(test.metrics)) {
        if (name.startsWith("sampling/")) continue; // over the whole generation batch: below
        if (name === "policy_loss" || name === "entropy_coef") continue; // of a step, not of its tokens: step.test.ts
        const values = measured.map((m) => m[name]).filter((x) => x !== undefined);
        const mean = values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
        if (golden === null || mean === null) expect([golden, mean], name).toEqual([null, null]);
        else expect(Math.abs(mean - golden), name).toBeLessThan(1e-5);
      }
    });
  });

  it("sampling metrics are TRL's over the whole batch, merged from micro-batches", () => {
    scope(() => {
      const merged = report(mergeStats(step(test, 2, 3).stats));
      const names = Object.keys(test.metrics).filter((name) => name.startsWith("sampling/"));
      expect(
        Object.keys(merged)
          .filter((name) => name.startsWith("sampling/"))
          .sort(),
      ).toEqual(names.sort());
      for (const name of names) expect(Math.abs(merged[name]! - test.metrics[name]!), name).toBeLessThan(1e-5);
    });
  });
});

it("a loss over whole sequences refuses chunks", () => {
  const test = GOLDEN.cases.find((c) => c.name === "gspo")!;
  const ones = ops.ones([4]);
  const tokens: LossTokens = {
    old_T: null,
    ref_T: null,
    sampling_T: null,
    advantages_T: ones,
    weights_T: ones,
    sequence_T: ops.zeros([4], { dtype: "int64" }),
    lengths: [4],
  };
  const objective = new Objective(tokens, optionsOf(test));
  expect(objective.needsWholeSequences).toBe(true);
  expect(() => objective.gradient(ops.ones([2]), 0)).toThrow(/needs all tokens at once/);
});
