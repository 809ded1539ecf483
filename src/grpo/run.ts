import path from "node:path";
import { getHeapStatistics } from "node:v8";
import { type Prompt, PromptSampler } from "../data/index.js";
import { Engine } from "../engine/index.js";
import { UserError } from "../errors.js";
import { resolveModelFolder } from "../model/hub.js";
import { type CausalLM, loadModel } from "../model/index.js";
import { assertHeapHolds } from "../passes/fit.js";
import { choosePasses, rowsToSample } from "../passes/memory.js";
import { batchShape, type GrpoRecipe, rewardOptions } from "../recipe/index.js";
import { type Functions, loadRewards, type Reward } from "../rewards/index.js";
import { CompletionsLog } from "../run/completions.js";
import { createProgress } from "../terminal/progress.js";
import { loadTokenizer, type Tokenizer } from "../text/index.js";
import { manualSeed } from "../torch/index.js";
import { checkBestIntervals, loadBest } from "../training/best-model.js";
import { prepareDeterminism } from "../training/determinism.js";
import { chooseDevice } from "../training/device.js";
import { Learner, restoreRng } from "../training/learner.js";
import { loadTrainee, saveTrained } from "../training/lora.js";
import { precisionOf } from "../training/precision.js";
import { rewardHashes } from "../training/resume.js";
import { assertNotSource, Session } from "../training/session.js";
import { companionsOf, templateOf } from "../training/template.js";
import { loadPrompts } from "./data.js";
import { loadReference } from "./reference.js";
import { stepsPerEpoch } from "./spans.js";
import { GRPO_STATE } from "./state.js";
import { type GrpoState, trainGrpo } from "./trainer.js";

export interface TrainOutcome {
  /** Optimizer steps done in all. */
  step: number;
  /** Whether the run reached its last step; otherwise the same command goes on. */
  finished: boolean;
  /** The folder with the trained model. */
  model: string;
}

/** Trains as the recipe says; the same call goes on where an earlier one stopped. Everything is checked before the first step. */
export async function runGrpo(
  recipe: GrpoRecipe,
  log: (line: string) => void,
  functions: Functions = {},
): Promise<TrainOutcome> {
  const device = chooseDevice(recipe, log);
  prepareDeterminism(recipe, device);
  const source = await resolveModelFolder(recipe.model_name_or_path, recipe.model_revision);
  assertNotSource(recipe.output_dir, source);
  const tokenizer = loadTokenizer(source, { chatTemplate: templateOf(recipe) });
  const rewards = await loadRewards(recipe.reward_funcs, rewardOptions(recipe), process.cwd(), functions);
  try {
    checkWeights(recipe, rewards);
    const prompts = await loadPrompts(recipe, { tokenizer, rewards, log });
    return await runInFolder({ recipe, device, source, tokenizer, rewards, ...prompts, log });
  } finally {
    await Promise.all(rewards.map((reward) => reward.close?.()));
  }
}

async function runInFolder(parts: Parts): Promise<TrainOutcome> {
  const { recipe, log } = parts;
  const began = { recipe, rewards: rewardHashes(recipe.reward_funcs) };
  const session = Session.open<GrpoState>(recipe, began, log, GRPO_STATE);
  try {
    return await trainIn(session, parts);
  } finally {
    session.close();
  }
}

interface Parts {
  recipe: GrpoRecipe;
  device: string;
  source: string;
  tokenizer: Tokenizer;
  rewards: Reward[];
  train: Prompt[];
  test: Prompt[] | null;
  log: (line: string) => void;
}

async function trainIn(session: Session<GrpoState>, parts: Parts): Promise<TrainOutcome> {
  const { recipe, device, source, tokenizer, rewards, log } = parts;
  const shape = batchShape(recipe);
  const totalSteps = totalStepsOf(recipe, parts.train.length);
  checkBestIntervals(recipe, totalSteps);
  manualSeed(recipe.seed);
  const checkpoint = session.checkpoint?.path;
  const options = { ...precisionOf(recipe, { source, device, log, checkpoint }), device, copy: true };
  const { model, base } = loadTrainee(recipe, { source, checkpoint, options, log });
  checkFit(model, tokenizer, source);
  // What adapters are trained on is the reference.
  const start = () =>
    base ??
    loadModel(source, { device, dtype: model.dtype, merge: true, copy: recipe.sync_ref_model }).requireGrad(false);
  const reference = recipe.beta > 0 ? { model: start() } : null;
  const learner = new Learner(model, recipe, totalSteps);
  const sampler = new PromptSampler(parts.train, {
    seed: recipe.data_seed ?? recipe.seed,
    shuffle: recipe.shuffle_dataset,
  });
  if (session.checkpoint && session.state) {
    learner.load(session.checkpoint.path);
    if (reference) loadReference(reference.model, session.checkpoint.path, session.state.step, recipe);
    sampler.restore(session.state.sampler);
    restoreRng(session.state.rng, device);
    log(`going on from ${session.checkpoint.path}`);
  }
  const longestPrompt = parts.train.reduce((longest, { ids }) => Math.max(longest, ids.length), 0);
  const passes = choosePasses(model, recipe, longestPrompt + recipe.max_completion_length, reference?.model);
  const longestCompletion = Math.min(recipe.max_completion_length, model.config.maxPositions);
  assertHeapHolds(shape.completionsPerGeneration, longestCompletion, getHeapStatistics().heap_size_limit);
  const files = { resumeAtStep: session.checkpoint?.step ?? 0, beforeWrite: session.assertHeld };
  const completions = CompletionsLog.open(recipe.output_dir, files);
  const evaluation = parts.test && {
    prompts: parts.test,
    completions: CompletionsLog.open(path.join(recipe.output_dir, "evaluation"), files),
  };
  log(headline(recipe, totalSteps, device));
  const progress = createProgress({ total: totalSteps, start: session.state?.step ?? 0 });
  const longest = longestPrompt + recipe.max_completion_length;
  const engine = new Engine(model, tokenizer, { maxBatchSize: rowsToSample(model, recipe, longest, reference?.model) });
  const companions = companionsOf(recipe, source);
  const shouldStop = () => session.interrupt.stopRequested;
  try {
    const state = await trainGrpo({
      recipe,
      shape,
      passes,
      totalSteps,
      learner,
      reference,
      sampler,
      session,
      completions,
      evaluation,
      progress,
      companions,
      engine,
      rewards,
      shouldStop,
      stopped: session.interrupt.stopped,
    });
    const { step } = state;
    // Ctrl-C in the last evaluation: which weights are the best, the same command then tells.
    const finished = step >= totalSteps && !(recipe.load_best_model_at_end && state.evaluationDue);
    if (finished) {
      loadBest(model, state, recipe, progress.log);
      session.assertHeld();
      saveTrained(model, recipe, companions);
    }
    return { step, finished, model: recipe.output_dir };
  } finally {
    progress.stop();
    learner.optimizer.dispose();
    for (const each of [model, reference?.model]) each?.dispose();
  }
}

function headline(recipe: GrpoRecipe, totalSteps: number, device: string): string {
  const name = recipe.run_name ?? path.basename(path.resolve(recipe.output_dir));
  const { promptsPerGeneration } = batchShape(recipe);
  const prompts = promptsPerGeneration === 1 ? "1 prompt" : `${promptsPerGeneration} prompts`;
  return `${name}: ${totalSteps} steps, ${prompts} × ${recipe.num_generations} completions per sampling, on ${device}`;
}

/** A file gives a reward for every function it exports: only now is their number known. */
function checkWeights({ reward_weights: weights }: GrpoRecipe, rewards: readonly Reward[]): void {
  if (weights === null || weights.length === rewards.length) return;
  const count = weights.length === 1 ? "1 weight" : `${weights.length} weights`;
  const names = rewards.map(({ name }) => name).join(", ");
  throw new UserError(`reward_weights: ${count} for ${rewards.length} rewards (${names}): give one for each`);
}

function checkFit(model: CausalLM, tokenizer: Tokenizer, source: string): void {
  if (tokenizer.vocabSize <= model.config.vocabSize) return;
  throw new UserError(
    `${source}: the tokenizer has ${tokenizer.vocabSize} tokens, the model's vocabulary ${model.config.vocabSize}: they do not belong together`,
  );
}

/** Optimizer steps of the whole run: max_steps, or num_train_epochs over the prompts (each sampling takes its prompts once, as in TRL). */
function totalStepsOf(recipe: GrpoRecipe, prompts: number): number {
  if (recipe.max_steps > 0) return recipe.max_steps;
  const shape = batchShape(recipe);
  const steps = stepsPerEpoch(prompts, shape, recipe);
  if (steps === 0) {
    throw new UserError(
      `${recipe.dataset_name} gives ${prompts} prompts, one step needs ${shape.promptsPerGeneration}: add rows, set max_steps, or make the batch smaller`,
    );
  }
  return Math.ceil(recipe.num_train_epochs * steps);
}
