import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { runGrpo } from "../grpo/run.js";
import { batchShape, type GrpoRecipe, loadGrpoRecipe } from "../recipe/index.js";
import { formatDuration } from "../terminal/progress.js";
import { testProblems, writeTrainProblems } from "./data.js";
import { evaluate } from "./evaluate.js";
import type { Problem } from "./problems.js";
import { type DemoReport, formatReport } from "./report.js";

const fromRoot = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url));

/** The warmed-up model that is shipped, and the recipe that trains it on. */
export const DEMO_BASE = fromRoot("src/demo/base");
export const DEMO_RECIPE = fromRoot("recipes/demo.yaml");

export interface DemoOptions {
  seed: number;
  outputDir: string;
  /** More keys of the recipe, as on the command line. */
  overrides: readonly string[];
  log: (text: string) => void;
}

export interface DemoResult extends DemoReport {
  finished: boolean;
  /** Folder of the trained checkpoint. */
  model: string;
  /** Seconds of training, and of everything. */
  trainSeconds: number;
  seconds: number;
}

/**
 * The main job in small: a model that can do arithmetic step by step but usually does not learns by GRPO, from the
 * rewards of Open-RS3 alone, to do it. Measured before and after on problems it was never trained on.
 */
export async function runDemo({ seed, outputDir, overrides, log }: DemoOptions): Promise<DemoResult | null> {
  const start = performance.now();
  const recipe = demoRecipe(seed, outputDir, overrides);
  writeTrainProblems(outputDir, { seed, count: promptsOf(recipe) });
  const problems = testProblems();
  log(`Measuring the warmed-up model on ${problems.length} held-out problems …`);
  const before = await measure(recipe.model_name_or_path, recipe, problems);
  log(
    `  ${(100 * before.sampled.accuracy.share).toFixed(1)} % right sampled, ${(100 * before.greedy.accuracy.share).toFixed(1)} % greedy`,
  );
  const { completionsPerStep, promptsPerGeneration } = batchShape(recipe);
  log(
    `Training by GRPO: ${recipe.max_steps} steps, ${promptsPerGeneration} problems with ${recipe.num_generations} completions each ` +
      `(${completionsPerStep}).\n${rewardLine(recipe)}`,
  );
  const trainStart = performance.now();
  const outcome = await runGrpo(recipe, log);
  const trainSeconds = (performance.now() - trainStart) / 1000;
  if (!outcome.finished) return null;
  log(`Trained in ${formatDuration(trainSeconds)}. Measuring again …\n`);
  const after = await measure(outcome.model, recipe, problems);
  const report: DemoReport = {
    sampled: { before: before.sampled, after: after.sampled },
    greedy: { before: before.greedy, after: after.greedy },
    temperature: recipe.temperature,
  };
  const seconds = (performance.now() - start) / 1000;
  log(`${formatReport(report)}\n`);
  log(`All in ${formatDuration(seconds)}. The model, with its metrics.jsonl, is in ${outcome.model}.`);
  return { ...report, finished: true, model: outcome.model, trainSeconds, seconds };
}

function demoRecipe(seed: number, outputDir: string, overrides: readonly string[]): GrpoRecipe {
  const keys = ["--model_name_or_path", DEMO_BASE, "--dataset_name", path.join(outputDir, "train.jsonl")];
  // A finished demo starts anew; one that was interrupted goes on.
  const finished = fs.existsSync(path.join(outputDir, "model.safetensors"));
  const anew = finished ? ["--resume_from_checkpoint", "false", "--overwrite_output_dir", "true"] : [];
  if (finished) fs.rmSync(path.join(outputDir, "model.safetensors"));
  const own = [...keys, "--seed", String(seed), "--output_dir", outputDir, ...anew];
  return loadGrpoRecipe(DEMO_RECIPE, [...own, ...overrides]).recipe;
}

/** What a reward of 1.8 is out of: each of the demo's rewards is at most 1. */
function rewardLine({ reward_funcs, reward_weights }: GrpoRecipe): string {
  const weights = reward_funcs.map((_, i) => reward_weights?.[i] ?? 1);
  const parts = reward_funcs.map((name, i) => `${weights[i]} for ${name}`).join(" + ");
  return `The reward of a completion is at most ${weights.reduce((sum, weight) => sum + weight, 0)}: ${parts}.`;
}

/** As many problems as the run asks for: none is seen twice. */
const promptsOf = (recipe: GrpoRecipe): number => recipe.max_steps * batchShape(recipe).promptsPerGeneration;

async function measure(model: string, recipe: GrpoRecipe, problems: readonly Problem[]) {
  const common = { model, problems, maxTokens: recipe.max_completion_length, seed: recipe.seed };
  return {
    sampled: await evaluate({ ...common, temperature: recipe.temperature }),
    greedy: await evaluate({ ...common, temperature: 0 }),
  };
}
