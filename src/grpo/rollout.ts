import type { Prompt, PromptSampler } from "../data/index.js";
import type { Completion, Engine, GenerateOptions } from "../engine/index.js";
import type { GrpoRecipe } from "../recipe/index.js";
import { type Reward, type RewardInput, RewardLog } from "../rewards/index.js";
import { phase } from "../run/phases.js";
import { type Advantages, computeAdvantages } from "./advantages.js";

/** G completions of one prompt with what each reward says of them: `scores[completion][function]`. */
export interface Group {
  prompt: Prompt;
  completions: Completion[];
  scores: (number | null)[][];
  /** Per completion, the columns that rewards added with log_extra. */
  extras: Record<string, unknown>[];
}

interface ScoredGroups {
  groups: Group[];
  /** What rewards told log_metric, by name. */
  logged: ReadonlyMap<string, number[]>;
}

/** What one sampling brings: groups in the order they were drawn, and how often equal groups were replaced. */
export interface Rollout {
  groups: Group[];
  /** Of all completions, group after group. */
  advantages: Advantages;
  /** Whether equal groups were to be replaced. */
  dynamic: boolean;
  /** Samplings it took (1 without dynamic sampling), groups thrown away for their equal rewards. */
  rounds: number;
  replaced: number;
  /** Means of what rewards told log_metric. */
  logged: Record<string, number>;
}

export interface RolloutContext {
  engine: Engine;
  sampler: PromptSampler;
  rewards: readonly Reward[];
  recipe: GrpoRecipe;
  /** Asked between decode steps: true ends the sampling with `Interrupted`. */
  shouldStop?: () => boolean;
  /** Aborted when rewards, which may take minutes, are not to be waited for any longer. */
  stopped?: AbortSignal;
}

/** Sampling was asked to stop (Ctrl-C); its completions are not to be used. */
export class Interrupted extends Error {
  override name = "Interrupted";
}

/** Samples G completions for each of the next `count` prompts and scores them (Open-RS, section 2; DAPO, section 3.2). */
export async function collectRollout(context: RolloutContext, count: number): Promise<Rollout> {
  const { sampler, recipe } = context;
  let { groups, logged } = await sampleGroups(context, sampler.next(count));
  let rounds = 1;
  let replaced = 0;
  while (recipe.dynamic_sampling && rounds < recipe.dynamic_sampling_max_rounds) {
    const equal = groups.filter((group) => computeAdvantages(group.scores, recipe).zeroStd[0]);
    if (equal.length === 0) break;
    const fresh = await sampleGroups(context, sampler.next(equal.length));
    rounds++;
    replaced += equal.length;
    const replacements = new Map(equal.map((group, i) => [group, fresh.groups[i]!]));
    logged = joined(logged, fresh.logged);
    groups = groups.map((group) => replacements.get(group) ?? group);
  }
  return {
    groups,
    advantages: computeAdvantages(
      groups.flatMap((group) => group.scores),
      recipe,
    ),
    dynamic: recipe.dynamic_sampling,
    rounds,
    replaced,
    logged: meansOf(logged),
  };
}

const joined = (a: ReadonlyMap<string, number[]>, b: ReadonlyMap<string, number[]>): Map<string, number[]> =>
  new Map(
    [...new Set([...a.keys(), ...b.keys()])].map((name) => [name, [...(a.get(name) ?? []), ...(b.get(name) ?? [])]]),
  );

/** As TRL: of a sampling, the mean of what was logged under a name. */
export const meansOf = (logged: ReadonlyMap<string, number[]>): Record<string, number> =>
  Object.fromEntries([...logged].map(([name, values]) => [name, values.reduce((a, b) => a + b, 0) / values.length]));

/** Completions of each prompt, scored: num_generations of them from where the random numbers are, unless told otherwise. */
export async function sampleGroups(
  context: RolloutContext,
  prompts: readonly Prompt[],
  { n = context.recipe.num_generations, seed }: { n?: number; seed?: number } = {},
): Promise<ScoredGroups> {
  const { engine, rewards, recipe, shouldStop = () => false, stopped } = context;
  const ids = prompts.map((prompt) => prompt.ids);
  const all = await phase("sampling", () => engine.generate(ids, { ...samplingOf(recipe), n, seed, shouldStop }));
  if (shouldStop()) throw new Interrupted("sampling was stopped");
  const inputs = prompts.flatMap((prompt, p) => all[p]!.map((completion) => rewardInput(prompt, completion)));
  const { byFunction, log } = await phase("rewards", () => unlessStopped(scoreAll(rewards, inputs), stopped));
  const groups = prompts.map((prompt, p) => ({
    prompt,
    completions: all[p]!,
    scores: all[p]!.map((_, i) => byFunction.map((scores) => scores[p * n + i]!)),
    extras: log.extras.slice(p * n, (p + 1) * n),
  }));
  return { groups, logged: log.metrics };
}

/** What `work` gives, or `Interrupted` as soon as the run is to stop; what becomes of the work then is of no interest, its errors included. */
async function unlessStopped<T>(work: Promise<T>, stopped: AbortSignal | undefined): Promise<T> {
  if (stopped === undefined) return work;
  let stop = () => {};
  const interrupted = new Promise<never>((_, reject) => {
    stop = () => reject(new Interrupted("the rewards were not waited for"));
  });
  if (stopped.aborted) stop();
  stopped.addEventListener("abort", stop);
  try {
    return await Promise.race([work, interrupted]);
  } finally {
    // The signal lives as long as the run: what listened on would keep the scores of every step.
    stopped.removeEventListener("abort", stop);
  }
}

/** All rewards at the same time; what they log is in their order. */
async function scoreAll(rewards: readonly Reward[], inputs: readonly RewardInput[]) {
  const log = new RewardLog(inputs.length);
  const own = rewards.map(() => new RewardLog(inputs.length));
  const byFunction = await Promise.all(rewards.map((reward, f) => reward.score(inputs, undefined, own[f])));
  for (const each of own) log.merge(each);
  return { byFunction, log };
}

/** The recipe's keys for the engine. */
export function samplingOf(recipe: GrpoRecipe): GenerateOptions {
  return {
    temperature: recipe.temperature,
    topP: recipe.top_p,
    topK: recipe.top_k,
    minP: recipe.min_p ?? 0,
    repetitionPenalty: recipe.repetition_penalty,
    maxTokens: recipe.max_completion_length,
    minTokens: recipe.min_completion_length,
    stop: recipe.stop_strings,
    stopTokenIds: recipe.stop_token_ids,
  };
}

export function rewardInput(prompt: Prompt, completion: Completion): RewardInput {
  return {
    completion: completion.text,
    completionIds: completion.ids,
    prompt: prompt.source,
    row: prompt.row,
    truncated: completion.stopReason === "length",
    index: prompt.index,
  };
}
