/**
 * Supervised fine-tuning: the step is the loop of `train` below: rows → loss on their learnt tokens → optimizer → run folder.
 */

import type { PassPlan } from "../passes/memory.js";
import type { SftRecipe } from "../recipe/index.js";
import { type MetricsRow, readMetrics } from "../run/metrics.js";
import { phase } from "../run/phases.js";
import { yieldToEvents } from "../terminal/interrupt.js";
import type { Progress } from "../terminal/progress.js";
import { bestSoFar, betterOf } from "../training/best-model.js";
import { asDeterministic } from "../training/determinism.js";
import { isDue } from "../training/intervals.js";
import { type Learner, NonFiniteError } from "../training/learner.js";
import { MetricsRows } from "../training/metrics-rows.js";
import type { BaseState, Session } from "../training/session.js";
import type { Companions } from "../training/template.js";
import type { SftData } from "./data.js";
import { dumpBatch } from "./dump.js";
import type { EpochOrder } from "./order.js";
import { evaluate, learnStep } from "./step.js";
import type { Example } from "./types.js";

/** What a resumed run needs beside weights and optimizer; nothing is random but the order, which the step tells. */
export interface SftState extends BaseState {
  /** Tokens read so far, prompts and completions. */
  numTokens: number;
  /** Of the examples, in order: a resumed run must see the same ones. */
  fingerprint: string;
  /** Metrics of the steps since the last written row. */
  unlogged: readonly MetricsRow[];
}

export interface SftRun {
  recipe: SftRecipe;
  learner: Learner;
  data: SftData;
  order: EpochOrder;
  plan: PassPlan;
  totalSteps: number;
  session: Session<SftState>;
  progress: Progress;
  /** What travels into checkpoints beside the weights: tokenizer, generation config. */
  companions: Companions;
}

/** Trains to the last step, or to Ctrl-C; returns where it stands. */
export async function trainSft(run: SftRun): Promise<SftState> {
  const { session, learner, recipe, order, totalSteps } = run;
  const known = bestSoFar(session, totalSteps, recipe, run.progress.log);
  let state: SftState = { ...(session.state ?? initialState(run)), best: known };
  const rows = new MetricsRows(session.metrics, recipe, totalSteps, state.unlogged);
  if (state.step === 0) evaluateStart(run);
  while (state.step < totalSteps && !session.interrupt.stopRequested) {
    const start = performance.now();
    const examples = order.rows(state.step).flatMap((row) => run.data.rows[row] ?? []);
    const learnt = learnOrDump(run, examples, state.step);
    const step = state.step + 1;
    const numTokens = state.numTokens + examples.reduce((sum, example) => sum + example.ids.length, 0);
    const step_time = (performance.now() - start) / 1000;
    const evaluates = evaluatesAt(run, step);
    const evaluation = evaluates ? prefixed(evaluate(learner.model, run.data.evaluation, run.plan)) : {};
    if (evaluates) learner.observe(evaluation);
    const best = evaluates ? betterOf(state.best, step, totalSteps, evaluation, recipe) : state.best;
    rows.add({ step, epoch: order.epochAfter(step), num_tokens: numTokens, ...learnt, ...evaluation, step_time });
    run.progress.update(step, { loss: learnt.loss ?? Number.NaN, ...evaluation });
    state = { ...state, step, numTokens, best, unlogged: rows.unlogged };
    await yieldToEvents();
    if (savesAt(run, step)) await phase("saving", () => session.save(learner, state, run.companions));
  }
  return state;
}

function initialState({ recipe, data }: SftRun): SftState {
  return { step: 0, recipe, numTokens: 0, fingerprint: data.fingerprint, unlogged: [] };
}

function learnOrDump(run: SftRun, examples: readonly Example[], stepsDone: number): Record<string, number> {
  try {
    const seed = [run.recipe.seed, stepsDone + 1];
    const step = () => learnStep(run.learner, examples, stepsDone, run.plan, run.recipe.gradient_checkpointing);
    return run.learner.model.withDropout(seed, () => phase("learning", () => asDeterministic(run.recipe, step)));
  } catch (error) {
    if (!(error instanceof NonFiniteError)) throw error;
    throw dumpBatch(error, run.recipe.output_dir, stepsDone + 1, examples, run.data.tokenizer);
  }
}

function savesAt(run: SftRun, step: number): boolean {
  return run.session.savesAt(step, run.totalSteps) || (run.recipe.save_strategy === "epoch" && endsEpoch(run, step));
}

function evaluatesAt(run: SftRun, step: number): boolean {
  const { recipe, totalSteps } = run;
  if (recipe.eval_strategy === "no") return false;
  // As transformers: also at the end, whatever its number.
  if (step === totalSteps) return true;
  if (recipe.eval_strategy === "epoch") return endsEpoch(run, step);
  return isDue(step, recipe.eval_steps ?? recipe.logging_steps, totalSteps);
}

const endsEpoch = ({ order }: SftRun, step: number): boolean => step % order.stepsPerEpoch === 0;

/** eval_on_start: a row for step 0, once, however often the run begins anew before its first checkpoint. */
function evaluateStart({ recipe, data, learner, plan, session, progress }: SftRun): void {
  if (!recipe.eval_on_start || readMetrics(session.metrics.path).length > 0) return;
  const metrics = prefixed(evaluate(learner.model, data.evaluation, plan));
  session.metrics.append({ step: 0, ...metrics });
  progress.log(`before training: eval_loss ${metrics.eval_loss?.toFixed(4)}`);
}

function prefixed(metrics: object): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`eval_${name}`, value]));
}
