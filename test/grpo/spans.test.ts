/**
 * Samplings over optimizer steps. The tables follow TRL 1.13: GRPOTrainer._prepare_inputs (a sampling for every steps_per_generation ·
 * num_iterations micro-batches), RepeatSampler (whole samplings per epoch) and transformers' Trainer (an epoch's last step is shorter).
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runGrpo } from "../../src/grpo/run.js";
import type { Sample } from "../../src/grpo/sample.js";
import {
  microBatchesOfStep,
  movesWithin,
  orderOf,
  type Pending,
  shuffler,
  stepsPerEpoch,
  take,
} from "../../src/grpo/spans.js";
import { batchShape, loadGrpoRecipe, resolveGrpoRecipe } from "../../src/recipe/index.js";
import { readMetrics } from "../../src/run/metrics.js";
import { temporaryFolder, tinyCheckpoint, tinyDataset, tinyRecipe } from "../support/tiny-run.js";

interface Case {
  keys: Record<string, unknown>;
  /** Prompts of the data set. */
  prompts: number;
  /** Per step: sampling and micro-batch, "a0" the first of the first sampling. */
  steps: string[][];
  /** Whether π_old is needed. */
  moves: boolean;
}

const BASE = { per_device_train_batch_size: 4, num_generations: 4 };
const CASES: Record<string, Case> = {
  "one sampling per step": {
    keys: { gradient_accumulation_steps: 2 },
    prompts: 5,
    steps: [
      ["a0", "a1"],
      ["b0", "b1"],
    ],
    moves: false,
  },
  "four samplings per step": {
    keys: { gradient_accumulation_steps: 4, steps_per_generation: 1 },
    prompts: 8,
    steps: [
      ["a0", "b0", "c0", "d0"],
      ["e0", "f0", "g0", "h0"],
    ],
    moves: false,
  },
  "a small generation_batch_size": {
    keys: { gradient_accumulation_steps: 4, generation_batch_size: 8 },
    prompts: 4,
    steps: [["a0", "a1", "b0", "b1"]],
    moves: false,
  },
  "a sampling for a step and a half": {
    keys: { gradient_accumulation_steps: 2, steps_per_generation: 3 },
    prompts: 6,
    steps: [
      ["a0", "a1"],
      ["a2", "b0"],
      ["b1", "b2"],
    ],
    moves: true,
  },
  "an epoch's last step is shorter": {
    keys: { gradient_accumulation_steps: 2, steps_per_generation: 3, num_train_epochs: 2 },
    prompts: 4,
    steps: [["a0", "a1"], ["a2"], ["b0", "b1"], ["b2"]],
    moves: true,
  },
  "two iterations": {
    keys: { gradient_accumulation_steps: 2, num_iterations: 2 },
    prompts: 2,
    steps: [
      ["a0", "a1"],
      ["a0", "a1"],
    ],
    moves: true,
  },
  "two iterations within a step": {
    keys: { gradient_accumulation_steps: 4, steps_per_generation: 2, num_iterations: 2 },
    prompts: 4,
    steps: [
      ["a0", "a1", "a0", "a1"],
      ["b0", "b1", "b0", "b1"],
    ],
    moves: false,
  },
};

function resolve(keys: Record<string, unknown>) {
  const base = { model_name_or_path: "-", dataset_name: "-", reward_funcs: ["format"], num_train_epochs: 1 };
  const { recipe } = resolveGrpoRecipe({ ...base, ...BASE, ...keys });
  return { recipe, shape: batchShape(recipe) };
}

const sampleOf = (advantage: number): Sample => ({
  promptIds: [],
  ids: [],
  truncated: false,
  advantage,
  samplerLogps: [],
  oldLogps: null,
  refLogps: null,
});

describe.each(Object.entries(CASES))("%s", (_name, { keys, prompts, steps, moves }) => {
  const { recipe, shape } = resolve(keys);

  test("the steps of the run", () => {
    expect(Math.ceil(recipe.num_train_epochs * stepsPerEpoch(prompts, shape, recipe))).toBe(steps.length);
    expect(movesWithin(shape, recipe)).toBe(moves);
  });

  test("what each step learns from", () => {
    // Completions are told apart by their advantage: sampling · 1000 + place.
    let samplings = 0;
    const generate = (): Pending => {
      const first = 1000 * samplings++;
      const samples = Array.from({ length: shape.completionsPerGeneration }, (_, i) => sampleOf(first + i));
      return { samples, taken: 0 };
    };
    let pending: Pending | null = null;
    const found = steps.map((_, stepsDone) => {
      let wanted = microBatchesOfStep(stepsDone, prompts, shape, recipe);
      const names: string[] = [];
      while (wanted > 0) {
        const taken = take(pending ?? generate(), wanted, shape, recipe);
        pending = taken.pending;
        wanted -= taken.count;
        for (let i = 0; i < taken.part.samples.length; i += shape.microBatch) {
          const { advantage } = taken.part.samples[i]!;
          const sampling = Math.floor(advantage / 1000);
          names.push(`${"abcdefgh"[sampling]}${(advantage % 1000) / shape.microBatch}`);
        }
      }
      return names;
    });
    expect(found).toEqual(steps);
    expect(pending).toBeNull();
  });
});

describe("the order within a sampling", () => {
  const order = (keys: Record<string, unknown>, seed = 1) => {
    const { recipe, shape } = resolve(keys);
    const samples = Array.from({ length: shape.completionsPerGeneration }, (_, i) => sampleOf(i));
    return orderOf(samples, shape, recipe, shuffler(seed, 1)).map(({ advantage }) => advantage);
  };
  const places = (n: number) => Array.from({ length: n }, (_, i) => i);

  test("stays where one step learns from all of it", () => {
    expect(order({ gradient_accumulation_steps: 4 })).toEqual(places(16));
    expect(order({ gradient_accumulation_steps: 4, loss_type: "bnpo", trl_defaults: "open-rs" })).toEqual(places(16));
  });

  test.each([{ steps_per_generation: 4 }, { gradient_accumulation_steps: 4, loss_type: "bnpo" }])(
    "is shuffled where its micro-batches are told apart: %j",
    (keys) => {
      const shuffled = order(keys);
      expect(shuffled).not.toEqual(places(16));
      expect([...shuffled].sort((a, b) => a - b)).toEqual(places(16));
      expect(order(keys)).toEqual(shuffled);
      expect(order(keys, 2)).not.toEqual(shuffled);
    },
  );

  test("each process learns from its own share, as in TRL", () => {
    // Two processes: micro-batch m is [4 of the first half, 4 of the second].
    const shuffled = order({ steps_per_generation: 3, num_processes: 2 });
    shuffled.forEach((place, i) => {
      expect(place < 12).toBe(i % 8 < 4);
    });
  });
});

describe("a run", () => {
  const folder = temporaryFolder();
  beforeAll(() => {
    tinyCheckpoint(folder);
    tinyDataset(folder);
  });

  test.each<[string, string[], number[]]>([
    [
      "of several samplings per step",
      ["--gradient_accumulation_steps", "4", "--steps_per_generation", "1"],
      [16, 16, 16],
    ],
    [
      "of samplings across steps",
      ["--gradient_accumulation_steps", "2", "--steps_per_generation", "3"],
      [12, 12, 0, 12, 12, 0],
    ],
  ])("%s learns from every prompt of its epoch", async (_name, keys, sampled) => {
    const output = path.join(folder, `run-${sampled.length}`);
    const more = ["--max_steps", "-1", "--num_train_epochs", "1", "--per_device_train_batch_size", "4", ...keys];
    const { recipe } = loadGrpoRecipe(undefined, tinyRecipe(folder, output, more));
    const { step, finished } = await runGrpo(recipe, () => {});
    expect([step, finished]).toEqual([sampled.length, true]);
    const rows = readMetrics(path.join(output, "metrics.jsonl"));
    expect(rows.at(-1)?.epoch).toBe(1);
    const files = readdirSync(path.join(output, "completions")).sort();
    const lines = files.map((file) =>
      readFileSync(path.join(output, "completions", file), "utf8")
        .trim()
        .split("\n"),
    );
    expect(lines.map((of) => of.length)).toEqual(sampled.filter((n) => n > 0));
    expect(new Set(lines.flat().map((line) => JSON.parse(line).row)).size).toBe(12);
  });
});
