import type { Prompt } from "../data/index.js";
import type { Reward } from "../rewards/index.js";
import type { CompletionRow, CompletionsLog } from "../run/completions.js";
import { restoreRng, saveRng } from "../training/learner.js";
import { computeAdvantages } from "./advantages.js";
import { completionRows } from "./completion-rows.js";
import { rolloutMetrics } from "./metrics.js";
import { meansOf, type RolloutContext, sampleGroups } from "./rollout.js";

/** What is evaluated on: the test split, and the folder its completions go to. */
export interface EvaluationSet {
  prompts: Prompt[];
  completions: CompletionsLog;
}

export interface EvaluationResult {
  /** TRL's: those of a sampling, prefixed eval_. */
  metrics: Record<string, number>;
  rows: CompletionRow[];
}

/**
 * Samples num_generations_eval completions of every prompt as in training and scores them. Every evaluation of a run starts from the
 * same seed, so that two of them differ by the weights alone; the random numbers of training stay where they were.
 * @throws Interrupted on Ctrl-C
 */
export async function evaluate(
  context: RolloutContext,
  prompts: readonly Prompt[],
  step: number,
): Promise<EvaluationResult> {
  const { recipe, rewards, engine } = context;
  const { device } = engine.model;
  const start = performance.now();
  const n = recipe.num_generations_eval ?? recipe.num_generations;
  const rng = saveRng(device);
  try {
    const { groups, logged } = await sampleGroups(context, prompts, { n, seed: recipe.seed });
    const scores = groups.flatMap((group) => group.scores);
    const advantages = computeAdvantages(scores, { ...recipe, num_generations: n });
    const rollout = { groups, advantages, dynamic: false, rounds: 1, replaced: 0, logged: meansOf(logged) };
    return {
      metrics: { ...prefixed(rolloutMetrics(rollout, namesOf(rewards))), "time/evaluation": secondsSince(start) },
      rows: completionRows(rollout, rewards, step),
    };
  } finally {
    restoreRng(rng, device);
  }
}

const namesOf = (rewards: readonly Reward[]): string[] => rewards.map((reward) => reward.name);

const secondsSince = (start: number): number => (performance.now() - start) / 1000;

function prefixed(metrics: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`eval_${name}`, value]));
}
