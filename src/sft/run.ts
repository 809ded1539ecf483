/** From a resolved SFT recipe to a trained model. Everything is checked before the first step. */
import path from "node:path";
import { UserError } from "../errors.js";
import { resolveModelFolder } from "../model/hub.js";
import { choosePasses } from "../passes/memory.js";
import type { SftRecipe } from "../recipe/index.js";
import { createProgress } from "../terminal/progress.js";
import { checkBestIntervals, loadBest } from "../training/best-model.js";
import { prepareDeterminism } from "../training/determinism.js";
import { chooseDevice } from "../training/device.js";
import { Learner } from "../training/learner.js";
import { loadTrainee, saveTrained } from "../training/lora.js";
import { precisionOf } from "../training/precision.js";
import { assertNotSource, Session } from "../training/session.js";
import { companionsOf } from "../training/template.js";
import { loadSftData, type SftData } from "./data.js";
import { EpochOrder } from "./order.js";
import { SFT_STATE } from "./state.js";
import { type SftState, trainSft } from "./trainer.js";

export interface SftOutcome {
  /** Optimizer steps done in all. */
  step: number;
  totalSteps: number;
  /** Whether the run reached its last step; otherwise the same command goes on. */
  finished: boolean;
  /** The folder with the trained model. */
  model: string;
}

type Log = (line: string) => void;

/** Trains as the recipe says; the same call goes on where an earlier one stopped. */
export async function runSft(recipe: SftRecipe, log: Log): Promise<SftOutcome> {
  const device = chooseDevice(recipe, log);
  prepareDeterminism(recipe, device);
  const source = await resolveModelFolder(recipe.model_name_or_path, recipe.model_revision);
  assertNotSource(recipe.output_dir, source);
  const data = await loadSftData(recipe, source, log);
  const session = Session.open<SftState>(recipe, { recipe }, log, SFT_STATE);
  try {
    return await trainIn(session, { recipe, device, source, data, log });
  } finally {
    session.close();
  }
}

interface Parts {
  recipe: SftRecipe;
  device: string;
  source: string;
  data: SftData;
  log: Log;
}

async function trainIn(session: Session<SftState>, { recipe, device, source, data, log }: Parts): Promise<SftOutcome> {
  const checkpoint = session.checkpoint?.path;
  const options = { ...precisionOf(recipe, { source, device, log, checkpoint }), device, copy: true };
  const { model } = loadTrainee(recipe, { source, checkpoint, options, log });
  const order = new EpochOrder({
    size: data.rows.length,
    batch: recipe.per_device_train_batch_size * recipe.gradient_accumulation_steps * recipe.num_processes,
    seed: recipe.data_seed ?? recipe.seed,
    shuffle: recipe.shuffle_dataset,
  });
  const totalSteps = recipe.max_steps > 0 ? recipe.max_steps : Math.ceil(recipe.num_train_epochs * order.stepsPerEpoch);
  checkBestIntervals(recipe, totalSteps);
  const learner = new Learner(model, recipe, totalSteps);
  if (session.checkpoint && session.state) {
    checkSameData(session.state, data, recipe);
    learner.load(session.checkpoint.path);
    log(`going on from ${session.checkpoint.path}`);
  }
  const name = recipe.run_name ?? path.basename(path.resolve(recipe.output_dir));
  log(`${name}: ${totalSteps} steps, ${order.stepsPerEpoch} per epoch, on ${device}`);
  const progress = createProgress({ total: totalSteps, start: session.state?.step ?? 0 });
  const companions = companionsOf(recipe, source);
  const plan = choosePasses(model, recipe, data.longest);
  try {
    const state = await trainSft({ recipe, learner, data, order, plan, totalSteps, session, progress, companions });
    const { step } = state;
    const finished = step >= totalSteps;
    if (finished) {
      loadBest(model, state, recipe, progress.log);
      session.assertHeld();
      saveTrained(model, recipe, companions);
    }
    return { step, totalSteps, finished, model: recipe.output_dir };
  } finally {
    progress.stop();
    learner.optimizer.dispose();
    model.dispose();
  }
}

function checkSameData(state: SftState, data: SftData, recipe: SftRecipe): void {
  if (state.fingerprint === data.fingerprint) return;
  throw new UserError(
    `${recipe.output_dir} holds a run on other data than ${recipe.dataset_name} has now: choose another --output_dir, ` +
      "or start anew with --resume_from_checkpoint false --overwrite_output_dir true",
  );
}
