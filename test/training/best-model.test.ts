// load_best_model_at_end against transformers' own Trainer (test/golden/make_best_model.py): what it accepts, judges and keeps.
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { resolveGrpoRecipe, resolveSftRecipe } from "../../src/recipe/index.js";
import { listCheckpoints, saveCheckpoint } from "../../src/run/checkpoint.js";
import { loadTrainerState, saveTrainerState } from "../../src/run/state.js";
import { type Best, bestSoFar, betterOf, checkBestIntervals } from "../../src/training/best-model.js";
import type { BaseState } from "../../src/training/session.js";
import { BASE_STATE } from "../../src/training/state.js";
import { temporaryFolder } from "../support/tiny-run.js";

interface Golden {
  checks: {
    eval_strategy: "no" | "steps" | "epoch";
    save_strategy: "no" | "steps" | "epoch";
    eval_steps: number;
    save_steps: number;
    accepted: boolean;
  }[];
  runs: {
    values: number[];
    greater_is_better: boolean;
    save_steps: number;
    save_total_limit: number | null;
    step: number;
    value: number;
    kept: number[];
  }[];
}

const fixture = new URL("../fixtures/training/best-model.json", import.meta.url);
const golden = JSON.parse(readFileSync(fixture, "utf8")) as Golden;
const folder = temporaryFolder();
let outputs = 0;
const newOutput = () => path.join(folder, `run-${outputs++}`);
const REQUIRED = { model_name_or_path: "m", dataset_name: "d", load_best_model_at_end: true };

test.each(golden.checks)("accepted: %j", ({ accepted, ...keys }) => {
  for (const resolve of [resolveGrpoRecipe, resolveSftRecipe]) {
    const read = () => resolve({ ...REQUIRED, ...keys });
    // transformers lets a run pass that evaluates nothing, and then loads nothing.
    if (accepted && keys.eval_strategy !== "no") expect(read().recipe).toMatchObject(keys);
    else expect(read).toThrow(/load_best_model_at_end/);
  }
});

test.each([
  [
    { eval_strategy: "no" },
    "recipe: load_best_model_at_end: nothing is evaluated: set eval_strategy and save_strategy",
  ],
  [{ eval_strategy: "epoch" }, "load_best_model_at_end: save_strategy steps must be the same as eval_strategy epoch"],
  [
    { save_steps: 5, eval_steps: 2 },
    "save_steps: 5 is no multiple of eval_steps 2, which load_best_model_at_end needs",
  ],
  [{ save_steps: 5, logging_steps: 2 }, "save_steps: 5 is no multiple of logging_steps (eval_steps is null) 2"],
  [{ save_steps: 5, eval_steps: 0.5 }, "save_steps: 5 and eval_steps 0.5: load_best_model_at_end needs both as steps"],
])("a recipe with %j is refused by name", (keys, message) => {
  const read = () => resolveGrpoRecipe({ ...REQUIRED, eval_strategy: "steps", ...keys });
  expect(read).toThrow(message);
});

test("shares of a run that save what is not evaluated", () => {
  const { recipe } = resolveGrpoRecipe({ ...REQUIRED, eval_strategy: "steps", save_steps: 0.5, eval_steps: 0.25 });
  expect(() => checkBestIntervals(recipe, 8)).not.toThrow();
  expect(() => checkBestIntervals(recipe, 6)).toThrow(
    /of 6 steps save_steps 0.5 is every 3, eval_steps 0.25 every 2: give both as numbers of steps/,
  );
});

test.each(golden.runs)("the best and the checkpoints kept: %j", async (run) => {
  const output_dir = newOutput();
  const keys = { ...REQUIRED, output_dir, eval_strategy: "steps", eval_steps: 1, metric_for_best_model: "score" };
  const { greater_is_better, save_steps, save_total_limit } = run;
  const { recipe } = resolveGrpoRecipe({ ...keys, greater_is_better, save_steps, save_total_limit });
  const total = run.values.length;
  let best: Best | null | undefined = null;
  for (const [i, value] of run.values.entries()) {
    best = betterOf(best, i + 1, total, { eval_score: value }, recipe);
    if ((i + 1) % save_steps !== 0) continue;
    await saveCheckpoint(output_dir, i + 1, () => {}, { keep: save_total_limit ?? undefined, best: best?.step });
  }
  expect(best).toEqual({ step: run.step, value: run.value });
  // With a limit of 1 transformers removes the last one at the end; here the run can be given more steps from it.
  const kept = save_total_limit === 1 ? [...new Set([...run.kept, total])] : run.kept;
  expect(listCheckpoints(output_dir).map(({ step }) => step)).toEqual(kept);
});

test("only what is evaluated at a checkpoint of the schedule counts, not the start nor a step between", () => {
  const { recipe } = resolveGrpoRecipe({ ...REQUIRED, eval_strategy: "steps", save_steps: 4, eval_steps: 2 });
  const after = (step: number) => betterOf(null, step, 10, { eval_reward: 1 }, recipe);
  expect([0, 2, 4, 6, 8, 10].filter((step) => after(step) !== null)).toEqual([4, 8, 10]);
  expect(betterOf(undefined, 4, 10, {}, { ...recipe, load_best_model_at_end: false })).toBeUndefined();
});

test("an infinite loss is a value: kept in a checkpoint, and worse than any other", () => {
  const { recipe } = resolveSftRecipe({ ...REQUIRED, eval_strategy: "steps", save_steps: 1 });
  const best = betterOf(null, 1, 3, { eval_loss: Number.POSITIVE_INFINITY }, recipe);
  const at = newOutput();
  mkdirSync(at);
  saveTrainerState(at, { step: 1, recipe: {}, numTokens: 1, unlogged: [], best });
  const read = loadTrainerState<BaseState>(at, BASE_STATE);
  expect(read.best).toEqual({ step: 1, value: Number.POSITIVE_INFINITY });
  expect(betterOf(read.best, 2, 3, { eval_loss: 8 }, recipe)).toEqual({ step: 2, value: 8 });
  expect(() => betterOf(best, 2, 3, { eval_loss: Number.NaN }, recipe)).toThrow(/is not a number in this evaluation/);
});

test("going on: a checkpoint that is gone, one in another folder, evaluations that were not compared", () => {
  const output_dir = newOutput();
  const { recipe } = resolveGrpoRecipe({ ...REQUIRED, output_dir, eval_strategy: "steps" });
  const lines: string[] = [];
  const from = (best: Best | null | undefined, at = path.join(output_dir, "checkpoint-4"), total = 6) =>
    bestSoFar({ checkpoint: { step: 4, path: at }, state: { best } }, total, recipe, (line) => lines.push(line));
  const best = { step: 2, value: 0.25 };

  expect(from(best)).toBeNull();
  expect(lines.splice(0)).toEqual([
    expect.stringMatching(/checkpoint-2, the best so far \(eval_reward 0.25\), is gone/),
  ]);
  // At the end of a run that is through the error says it.
  expect(from(best, undefined, 4)).toEqual(best);

  mkdirSync(path.join(output_dir, "checkpoint-2"), { recursive: true });
  expect(from(best)).toEqual(best);
  const other = newOutput();
  mkdirSync(path.join(other, "checkpoint-2"), { recursive: true });
  expect(from(best, path.join(other, "checkpoint-4"))).toEqual({ ...best, run: other });
  expect(from(null)).toBeNull();
  expect(lines).toEqual([]);

  expect(from(undefined)).toBeNull();
  expect(lines).toEqual([expect.stringMatching(/evaluations up to step 4 were not compared, only later ones count/)]);
});
