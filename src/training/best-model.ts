/** load_best_model_at_end, as transformers has it: of the checkpoints whose weights were evaluated the best becomes the model. */
import fs from "node:fs";
import path from "node:path";
import { assert, UserError } from "../errors.js";
import { type CausalLM, loadModel } from "../model/index.js";
import { loadLora } from "../model/lora/load.js";
import type { GrpoRecipe } from "../recipe/index.js";
import type { Checkpoint } from "../run/checkpoint.js";
import { findDamage } from "../run/manifest.js";
import { noGrad, ops } from "../torch/index.js";
import { greaterIsBetter, type MetricKeys, metricName, metricValue } from "./best-metric.js";
import { isDue, stepsOf } from "./intervals.js";

export type BestKeys = MetricKeys &
  Pick<
    GrpoRecipe,
    "load_best_model_at_end" | "output_dir" | "eval_strategy" | "eval_steps" | "logging_steps" | "save_steps"
  >;

/** The best weights so far; JSON, part of a trainer's state. */
export interface Best {
  /** Of their checkpoint. */
  step: number;
  value: number;
  /** The run folder that holds the checkpoint, if it is another's, whose run this one goes on. */
  run?: string;
}

/** null: none yet; undefined: not asked for. */
type Known = Best | null | undefined;

/** The best after an evaluation of the weights after `step`; a tie keeps the earlier. */
export function betterOf(
  best: Known,
  step: number,
  totalSteps: number,
  metrics: Readonly<Record<string, number>>,
  keys: BestKeys,
): Known {
  // By the schedule alone: a checkpoint that Ctrl-C makes must not change how the run ends.
  const isSaved = step === totalSteps || keys.eval_strategy === "epoch" || isDue(step, keys.save_steps, totalSteps);
  if (!keys.load_best_model_at_end || step === 0 || !isSaved) return best;
  const value = metricValue(keys.metric_for_best_model, metrics);
  const isBetter = !best || (greaterIsBetter(keys) ? value > best.value : value < best.value);
  return isBetter ? { step, value } : best;
}

/** What a run begins with, or goes on with from its checkpoint. */
export function bestSoFar(
  { checkpoint, state }: { checkpoint: Checkpoint | undefined; state: { best?: Best | null } | undefined },
  totalSteps: number,
  keys: BestKeys,
  log: (line: string) => void,
): Known {
  if (!keys.load_best_model_at_end) return undefined;
  if (!checkpoint) return null;
  const best = state?.best;
  if (best === undefined) {
    log(`load_best_model_at_end: evaluations up to step ${checkpoint.step} were not compared, only later ones count`);
    return null;
  }
  if (best === null) return null;
  const home = path.dirname(path.resolve(checkpoint.path));
  const found = best.run === undefined && home !== path.resolve(keys.output_dir) ? { ...best, run: home } : best;
  // Of a run that is through, its end tells.
  if (checkpoint.step >= totalSteps || fs.existsSync(folderOf(found, keys))) return found;
  log(`warning: ${folderOf(found, keys)}, the best so far (${shown(found, keys)}), is gone: only later ones count`);
  return null;
}

/** @throws UserError if shares of the run, rounded to steps, save weights that are not evaluated */
export function checkBestIntervals(keys: BestKeys, totalSteps: number): void {
  const { save_steps, eval_strategy } = keys;
  if (!keys.load_best_model_at_end || eval_strategy !== "steps") return;
  const eval_steps = keys.eval_steps ?? keys.logging_steps;
  const [save, evaluate] = [stepsOf(save_steps, totalSteps), stepsOf(eval_steps, totalSteps)];
  if (save % evaluate === 0) return;
  throw new UserError(
    `load_best_model_at_end: of ${totalSteps} steps save_steps ${save_steps} is every ${save}, eval_steps ${eval_steps} every ${evaluate}: ` +
      "give both as numbers of steps, one a multiple of the other",
  );
}

/**
 * Gives the model at the end of a run the best weights, and says which they are.
 * @throws UserError if their checkpoint is gone or damaged
 */
export function loadBest(
  model: CausalLM,
  state: { step: number; best?: Known },
  keys: BestKeys,
  log: (line: string) => void,
): void {
  const { step, best } = state;
  if (!keys.load_best_model_at_end) return;
  if (!best) {
    log("load_best_model_at_end: no checkpoint was evaluated, the model is the last one");
    return;
  }
  const folder = folderOf(best, keys);
  const isLast = best.step === step && best.run === undefined;
  if (!isLast) copyWeights(model, proven(folder, best, keys));
  log(`load_best_model_at_end: the model is that after step ${best.step}, the best (${shown(best, keys)})`);
}

function proven(folder: string, best: Best, keys: BestKeys): string {
  const damage = fs.existsSync(folder) ? findDamage(folder, best.step) : "it is gone";
  if (damage === undefined) return folder;
  throw new UserError(
    `the checkpoint ${folder} is the best (${shown(best, keys)}) and cannot be loaded: ${damage}: ` +
      "put it back, or take the last weights with --load_best_model_at_end false",
  );
}

function copyWeights(model: CausalLM, folder: string): void {
  const best = model.lora ? loadLora(folder, model.lora.config, model) : loadModel(folder, { dtype: model.dtype });
  const saved = best.parameters();
  noGrad(() => {
    for (const [name, weight] of model.parameters()) {
      const other = saved.get(name);
      assert(other !== undefined, `${folder} has no ${name}`);
      ops.copy_(weight, other);
    }
  });
  best.dispose();
}

const folderOf = (best: Best, keys: BestKeys): string =>
  path.join(best.run ?? keys.output_dir, `checkpoint-${best.step}`);

const shown = ({ value }: Best, keys: BestKeys): string => `${metricName(keys)} ${Number(value.toPrecision(6))}`;
