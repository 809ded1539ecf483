/**
 * GRPO (Shao et al. 2024, DeepSeekMath) as Open-RS runs it: no critic, group baselines. The step is the loop of `trainGrpo` below:
 * prompts → completions → rewards → advantages → loss on the tokens → optimizer → run folder.
 */
import type { PromptSampler, SamplerState } from "../data/index.js";
import type { Pcg32 } from "../data/pcg32.js";
import type { PassPlan } from "../passes/memory.js";
import type { BatchShape, GrpoRecipe } from "../recipe/index.js";
import type { CompletionRow, CompletionsLog } from "../run/completions.js";
import { type MetricsRow, readMetrics } from "../run/metrics.js";
import { phase } from "../run/phases.js";
import type { Progress } from "../terminal/progress.js";
import { bestSoFar, betterOf } from "../training/best-model.js";
import { asDeterministic } from "../training/determinism.js";
import { isDue } from "../training/intervals.js";
import { type Learner, type RngState, saveRng } from "../training/learner.js";
import { MetricsRows } from "../training/metrics-rows.js";
import { rewardHashes } from "../training/resume.js";
import type { BaseState, Session } from "../training/session.js";
import type { Companions } from "../training/template.js";
import { completionRows } from "./completion-rows.js";
import { Display } from "./display.js";
import { dumpIfNonFinite } from "./dump.js";
import { type EvaluationSet, evaluate } from "./evaluate.js";
import { mergeMetrics, rolloutMetrics, tokensOf } from "./metrics.js";
import { saveReference, syncReference } from "./reference.js";
import { collectRollout, Interrupted, type Rollout, type RolloutContext } from "./rollout.js";
import { logpTemperature, type Sample, toSamples } from "./sample.js";
import { type Frozen, scoreSamples } from "./scoring.js";
import { microBatchesOfStep, movesWithin, orderOf, type Part, type Pending, shuffler, take } from "./spans.js";
import { learn } from "./step.js";

/** Everything a resumed run needs beside weights and optimizer; JSON. */
export interface GrpoState extends BaseState {
  /** Prompt and completion tokens so far. */
  numTokens: number;
  sampler: SamplerState;
  rng: RngState;
  pending: Pending | null;
  /** Whole passes over the prompts that have been learnt from, and whether the last step ended one. */
  epochsDone: number;
  endsEpoch: boolean;
  /** The recipe asks for an evaluation of these weights that has not been made yet. */
  evaluationDue: boolean;
  /** Metrics of the steps since the last written row. */
  unlogged: readonly MetricsRow[];
}

export interface GrpoRun extends RolloutContext {
  recipe: GrpoRecipe;
  shape: BatchShape;
  passes: PassPlan;
  totalSteps: number;
  learner: Learner;
  /** The reference model of the KL term, if beta > 0. */
  reference: Frozen | null;
  sampler: PromptSampler;
  session: Session<GrpoState>;
  completions: CompletionsLog;
  /** What to evaluate on; null: the recipe asks for no evaluation. */
  evaluation: EvaluationSet | null;
  progress: Progress;
  /** What travels into checkpoints beside the weights: tokenizer, generation config. */
  companions: Companions;
}

/** Trains to the last step, or to Ctrl-C; returns where it stands. */
export async function trainGrpo(run: GrpoRun): Promise<GrpoState> {
  const { session, learner, totalSteps } = run;
  const best = bestSoFar(session, totalSteps, run.recipe, run.progress.log);
  let state: GrpoState = { ...(session.state ? ofToday(session.state, run) : initialState(run)), best };
  let saved = session.state ? state : undefined;
  const rows = new MetricsRows(session.metrics, run.recipe, totalSteps, state.unlogged);
  const display = new Display(run.progress, run.recipe);
  for (;;) {
    if (state.evaluationDue) state = await evaluateNow(run, state, display);
    if (state !== saved && savesAt(run, state)) {
      await phase("saving", () =>
        session.save(learner, state, run.companions, (folder) => {
          if (run.reference && !run.recipe.save_only_model)
            saveReference(run.reference.model, folder, state.step, run.recipe);
        }),
      );
      saved = state;
    }
    if (state.step >= totalSteps || session.interrupt.stopRequested) return state;

    const start = performance.now();
    const step = state.step + 1;
    // Interrupted while sampling: what was sampled is dropped, so that the resumed run samples the same again.
    const batch = await gather(run, state);
    if (!batch) continue;
    display.sampled(batch.completions);

    const samples = batch.parts.flatMap((part) => part.samples);
    const learnt = dumpIfNonFinite(run, samples, state.step, () =>
      learner.model.withDropout([run.recipe.seed, step], () =>
        phase("learning", () => asDeterministic(run.recipe, () => learn(run, batch.parts, state.step))),
      ),
    );

    if (run.reference) syncReference(run.reference.model, learner.model, step, run.recipe);

    const row: MetricsRow = {
      step,
      epoch: run.sampler.epoch,
      num_tokens: state.numTokens + batch.tokens,
      ...batch.metrics,
      ...learnt,
      step_time: seconds(start),
    };
    display.step(row, rows.add(row));
    state = afterStep(run, state, batch, rows.unlogged);
  }
}

/** What a step learns from, and what sampling for it brought. */
interface StepBatch {
  parts: Part[];
  /** What is left of the last sampling. */
  pending: Pending | null;
  tokens: number;
  metrics: Record<string, number>;
  completions: CompletionRow[];
}

/** The step's micro-batches, from the sampling that is being learnt from and as many new ones as it takes; null after Ctrl-C. */
async function gather(run: GrpoRun, state: GrpoState): Promise<StepBatch | null> {
  const step = state.step + 1;
  const random = shuffler(run.recipe.seed, step);
  const samplings: Sampling[] = [];
  const parts: Part[] = [];
  let pending = state.pending;
  let wanted = microBatchesOfStep(state.step, run.sampler.size, run.shape, run.recipe);
  while (wanted > 0) {
    if (!pending) {
      const sampling = await sampleNext(run, step, random);
      if (!sampling) return null;
      samplings.push(sampling);
      pending = sampling.pending;
    }
    const taken = take(pending, wanted, run.shape, run.recipe);
    parts.push(taken.part);
    wanted -= taken.count;
    pending = taken.pending;
  }
  const completions = samplings.flatMap((sampling) => sampling.completions);
  if (samplings.length > 0) run.completions.write(step, completions);
  const tokens = samplings.reduce((sum, sampling) => sum + sampling.tokens, 0);
  return { parts, pending, tokens, metrics: mergeMetrics(samplings.map(({ metrics }) => metrics)), completions };
}

interface Sampling {
  pending: Pending;
  tokens: number;
  metrics: Record<string, number>;
  completions: CompletionRow[];
}

/** Samples and scores the next prompts' completions; null after Ctrl-C. */
async function sampleNext(run: GrpoRun, step: number, random: Pcg32): Promise<Sampling | null> {
  const start = performance.now();
  const rollout = await orInterrupt(collectRollout(run, run.shape.promptsPerGeneration));
  if (!rollout) return null;
  const samples = phase("scoring", () => samplesOf(rollout, run));
  const rewardNames = run.rewards.map((reward) => reward.name);
  return {
    pending: { samples: orderOf(samples, run.shape, run.recipe, random), taken: 0 },
    tokens: tokensOf(rollout),
    metrics: { ...rolloutMetrics(rollout, rewardNames), "time/sampling": seconds(start) },
    completions: completionRows(rollout, run.rewards, step),
  };
}

function afterStep(run: GrpoRun, state: GrpoState, batch: StepBatch, unlogged: readonly MetricsRow[]): GrpoState {
  const step = state.step + 1;
  const { pending } = batch;
  // An epoch ends when its last prompts have been learnt from.
  const epochsDone = pending ? state.epochsDone : Math.floor(run.sampler.epoch);
  // The last epoch may leave some prompts over that make no whole step.
  const endsEpoch = epochsDone > state.epochsDone || step === run.totalSteps;
  return {
    ...state,
    step,
    numTokens: state.numTokens + batch.tokens,
    pending,
    epochsDone,
    endsEpoch,
    evaluationDue: evaluatesAt(run, step, endsEpoch),
    unlogged,
    ...randomness(run),
  };
}

/** As transformers: with "steps" also at the end, whatever its number. */
function evaluatesAt({ recipe, totalSteps }: GrpoRun, step: number, endsEpoch: boolean): boolean {
  if (recipe.eval_strategy === "epoch") return endsEpoch;
  if (recipe.eval_strategy === "no") return false;
  return step === totalSteps || isDue(step, recipe.eval_steps ?? recipe.logging_steps, totalSteps);
}

/** Writes a row of eval_ metrics of its own. After Ctrl-C the state stays as it was: the resumed run makes up for it. */
async function evaluateNow(run: GrpoRun, state: GrpoState, display: Display): Promise<GrpoState> {
  const done = { ...state, evaluationDue: false };
  if (!run.evaluation) return done;
  const result = await orInterrupt(evaluate(run, run.evaluation.prompts, state.step));
  if (!result) return state;
  if (state.step > 0) run.learner.observe(result.metrics);
  const best = betterOf(state.best, state.step, run.totalSteps, result.metrics, run.recipe);
  const row = { step: state.step, epoch: run.sampler.epoch, ...result.metrics };
  // A run killed after its row and before its next checkpoint comes here again, to the same figures.
  const known = readMetrics(run.session.metrics.path).some((old) => old.step === state.step && "eval_reward" in old);
  if (!known) run.session.metrics.append(row);
  run.evaluation.completions.write(state.step, result.rows);
  display.evaluated(row);
  return { ...done, best };
}

function savesAt({ session, recipe, totalSteps }: GrpoRun, { step, endsEpoch }: GrpoState): boolean {
  if (step === 0) return session.interrupt.stopRequested;
  return session.savesAt(step, totalSteps) || (recipe.save_strategy === "epoch" && endsEpoch);
}

/** The state of an earlier version, which counted optimizer steps into a sampling where this one counts micro-batches. */
function ofToday(state: GrpoState, { recipe }: GrpoRun): GrpoState {
  const pending = state.pending as (Pending & { nextUpdate?: number }) | null;
  if (pending?.nextUpdate === undefined) return state;
  const taken = pending.nextUpdate * recipe.gradient_accumulation_steps;
  return { ...state, pending: { samples: pending.samples, taken } };
}

function initialState(run: GrpoRun): GrpoState {
  return {
    step: 0,
    recipe: run.recipe,
    rewards: rewardHashes(run.recipe.reward_funcs),
    numTokens: 0,
    pending: null,
    epochsDone: 0,
    endsEpoch: false,
    evaluationDue: run.recipe.eval_on_start,
    unlogged: [],
    ...randomness(run),
  };
}

const randomness = (run: GrpoRun) => ({ sampler: run.sampler.state(), rng: saveRng(run.learner.model.device) });

async function orInterrupt<T>(sampling: Promise<T>): Promise<T | null> {
  try {
    return await sampling;
  } catch (error) {
    if (error instanceof Interrupted) return null;
    throw error;
  }
}

/** Completions with advantages, and the log-probabilities of the old and the reference policy where the loss needs them. */
function samplesOf(rollout: Rollout, run: GrpoRun): Sample[] {
  const temperature = logpTemperature(run.recipe);
  const samples = toSamples(rollout.groups, rollout.advantages.advantages, temperature === 1);
  const old = movesWithin(run.shape, run.recipe)
    ? scoreSamples(run.learner.model, samples, temperature, run.passes)
    : null;
  const ref = run.reference ? scoreSamples(run.reference.model, samples, temperature, run.passes) : null;
  return samples.map((sample, i) => ({ ...sample, oldLogps: old?.[i] ?? null, refLogps: ref?.[i] ?? null }));
}

const seconds = (since: number): number => (performance.now() - since) / 1000;
