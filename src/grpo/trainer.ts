/**
 * GRPO (Shao et al. 2024, DeepSeekMath) as Open-RS runs it: no critic, group baselines. The step is the loop of `train` below:
 * prompts → completions → rewards → advantages → loss on the tokens → optimizer → run folder.
 */
import type { PromptSampler, SamplerState } from "../data/index.js";
import type { BatchShape, GrpoRecipe } from "../recipe/index.js";
import type { CompletionsLog } from "../run/completions.js";
import type { MetricsRow } from "../run/metrics.js";
import type { Progress } from "../run/progress.js";
import { type Learner, type RngState, saveRng } from "../train/learner.js";
import type { BaseState, Session } from "../train/session.js";
import { completionRows } from "./completion-rows.js";
import { learn } from "./learn.js";
import { MetricsRows, rolloutMetrics, tokensOf } from "./metrics.js";
import { dumpIfNonFinite } from "./non-finite.js";
import { type Frozen, scoreSamples } from "./old-logps.js";
import { collectRollout, Interrupted, type Rollout, type RolloutContext } from "./rollout.js";
import { logpTemperature, type Sample, toSamples } from "./sample.js";

/** Everything a resumed run needs beside weights and optimizer; JSON. */
export interface GrpoState extends BaseState {
  /** Prompt and completion tokens so far. */
  numTokens: number;
  sampler: SamplerState;
  rng: RngState;
  pending: Pending | null;
  /** Metrics of the steps since the last written row. */
  unlogged: MetricsRow[];
}

/** A sampling of which some updates are still to be made (num_iterations, or several steps per generation). */
interface Pending {
  samples: Sample[];
  nextUpdate: number;
}

export interface GrpoRun extends RolloutContext {
  recipe: GrpoRecipe;
  shape: BatchShape;
  totalSteps: number;
  learner: Learner;
  /** The reference model of the KL term, if beta > 0. */
  reference: Frozen | null;
  sampler: PromptSampler;
  session: Session<GrpoState>;
  completions: CompletionsLog;
  progress: Progress;
  /** The folder whose tokenizer and generation config travel into checkpoints. */
  source: string;
}

/** Trains to the last step, or to Ctrl-C; returns the steps done. */
export async function train(run: GrpoRun): Promise<number> {
  const { session, learner, recipe, totalSteps } = run;
  const rewardNames = run.rewards.map((reward) => reward.name);
  let state = session.state ?? initialState(run);
  const rows = new MetricsRows(session.metrics, recipe, [...state.unlogged]);
  while (state.step < totalSteps) {
    const start = performance.now();
    let pending = state.pending;
    let sampled: Record<string, number> = {};
    let numTokens = state.numTokens;
    if (!pending) {
      const rollout = await orInterrupt(collectRollout(run, run.shape.promptsPerGeneration));
      if (!rollout) break;
      pending = { samples: samplesOf(rollout, run), nextUpdate: 0 };
      numTokens += tokensOf(rollout);
      sampled = { ...rolloutMetrics(rollout, rewardNames), "time/sampling": seconds(start) };
      run.completions.write(state.step + 1, completionRows(rollout, run.rewards, state.step + 1));
    }
    const samples = partOf(pending, run.shape);
    const learnt = dumpIfNonFinite(run, samples, state.step, () => learn(run, samples, pending.samples, state.step));
    const step = state.step + 1;
    rows.add({
      step,
      epoch: run.sampler.epoch,
      num_tokens: numTokens,
      ...sampled,
      ...learnt,
      step_time: seconds(start),
    });
    state = { ...state, step, numTokens, pending: advance(pending, run), unlogged: rows.unlogged, ...randomness(run) };
    report(run, rows.last);
    if (session.savesAt(state.step, totalSteps)) await session.save(learner, state, run.source);
    if (session.interrupt.stopRequested) return state.step;
  }
  // Interrupted while sampling: what was sampled is dropped, the state before it is saved, so the resumed run samples the same again.
  if (session.interrupt.stopRequested) await session.save(learner, state, run.source);
  return state.step;
}

function initialState(run: GrpoRun): GrpoState {
  return { step: 0, recipe: run.recipe, numTokens: 0, pending: null, unlogged: [], ...randomness(run) };
}

const randomness = (run: GrpoRun) => ({ sampler: run.sampler.state(), rng: saveRng(run.learner.model.device) });

async function orInterrupt(rollout: Promise<Rollout>): Promise<Rollout | null> {
  try {
    return await rollout;
  } catch (error) {
    if (error instanceof Interrupted) return null;
    throw error;
  }
}

/** Completions with advantages, and the log-probabilities of the old and the reference policy where the loss needs them. */
function samplesOf(rollout: Rollout, run: GrpoRun): Sample[] {
  const temperature = logpTemperature(run.recipe);
  const samples = toSamples(rollout.groups, rollout.advantages.advantages, temperature === 1);
  const old = updatesPerSampling(run) > 1 ? scoreSamples(run.learner.model, samples, temperature) : null;
  const ref = run.reference ? scoreSamples(run.reference.model, samples, temperature) : null;
  return samples.map((sample, i) => ({ ...sample, oldLogps: old?.[i] ?? null, refLogps: ref?.[i] ?? null }));
}

const updatesPerSampling = (run: GrpoRun): number => run.shape.stepsPerGeneration * run.recipe.num_iterations;

/** The completions of the next update: each iteration goes over all parts of the sampling in turn. */
function partOf(pending: Pending, shape: BatchShape): Sample[] {
  const part = pending.nextUpdate % shape.stepsPerGeneration;
  return pending.samples.slice(part * shape.completionsPerStep, (part + 1) * shape.completionsPerStep);
}

function advance(pending: Pending, run: GrpoRun): Pending | null {
  const nextUpdate = pending.nextUpdate + 1;
  return nextUpdate < updatesPerSampling(run) ? { ...pending, nextUpdate } : null;
}

function report(run: GrpoRun, row: MetricsRow): void {
  const shown = ["reward", "completions/mean_length", "kl"].flatMap((key) => {
    const value = row[key];
    return typeof value === "number" ? [[key.replace("completions/mean_", ""), value] as const] : [];
  });
  run.progress.update(row.step, Object.fromEntries(shown));
}

const seconds = (since: number): number => (performance.now() - since) / 1000;
