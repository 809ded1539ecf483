/** One Open-RS step, 72 completions of 12 prompts: estimated from what was measured, and run. */
import { PagedRunner } from "../../src/engine/paged/runner.js";
import { Scheduler } from "../../src/engine/scheduler.js";
import { type Group, Sequence } from "../../src/engine/sequence.js";
import { DEFAULT_SAMPLING } from "../../src/engine/types.js";
import type { CausalLM, ModelConfig } from "../../src/model/index.js";
import { cudaMemory, type DType, noGrad, resetPeakMemory, scope } from "../../src/torch/index.js";
import { wall } from "./clock.js";
import { type DecodeFigures, noTokenizer } from "./decode.js";
import { stepBytes } from "./shape.js";
import type { Trainer, TrainFigures } from "./train.js";

export interface StepSizes {
  prompts: number;
  group: number;
  promptTokens: number;
  /** Of each completion. */
  lengths: readonly number[];
}

export interface StepSeconds {
  sampling: number;
  training: number;
  total: number;
}

/**
 * Sampling, one decode step after the other: each reads the weights and the cache of the sequences still alive, at the bandwidth measured
 * for the nearest batch sizes. Training at its measured speed.
 */
export function estimateStep(
  config: ModelConfig,
  dtype: DType,
  decode: readonly DecodeFigures[],
  train: TrainFigures,
  sizes: StepSizes,
): StepSeconds {
  const longest = Math.max(...sizes.lengths);
  const prompts = sizes.prompts * sizes.promptTokens;
  let sampling = prompts / Math.max(...decode.map((d) => d.prefillTokensPerSecond));
  for (let t = 0; t < longest; t++) {
    const alive = sizes.lengths.filter((length) => length > t).length;
    const bytes = stepBytes(config, dtype, alive * (sizes.promptTokens + t));
    sampling += bytes / bandwidthAt(decode, alive);
  }
  const tokens = sizes.lengths.reduce((sum, length) => sum + length + sizes.promptTokens, 0);
  const passes = train.tokens / train.tokensPerSecond - train.optimizerSeconds;
  const training = (tokens / train.tokens) * passes + train.optimizerSeconds;
  return { sampling, training, total: sampling + training };
}

/** Bytes per second a decode step of so many rows moves, between the measured batch sizes in proportion. */
export function bandwidthAt(decode: readonly DecodeFigures[], batch: number): number {
  const points = [...decode].sort((a, b) => a.batch - b.batch);
  const rate = ({ bytes, stepMs }: DecodeFigures) => (1000 * bytes) / stepMs;
  const above = points.findIndex((p) => p.batch >= batch);
  if (above === -1) return rate(points.at(-1)!);
  const [low, high] = [points[Math.max(0, above - 1)]!, points[above]!];
  if (low === high) return rate(high);
  const share = (batch - low.batch) / (high.batch - low.batch);
  return rate(low) + share * (rate(high) - rate(low));
}

/** Really: the completions are sampled, and an optimizer step is taken on them. Rewards are not computed. */
export function runStep(
  model: CausalLM,
  trainer: Trainer,
  sizes: StepSizes,
): StepSeconds & { peakBytes: number | null } {
  resetPeakMemory(model.device);
  let groups: Group[] = [];
  const sampling = wall(model.device, () => {
    groups = sampleAll(model, sizes);
  });
  const sequences = groups.flatMap((group) =>
    group.sequences.map(({ ids }) => ({ ids: [...group.promptIds, ...ids], from: group.promptIds.length })),
  );
  const training = wall(model.device, () => {
    trainer.accumulate(sequences);
    trainer.update();
  });
  const peakBytes = cudaMemory(model.device)?.peakAllocated ?? null;
  return { sampling, training, total: sampling + training, peakBytes };
}

function sampleAll(model: CausalLM, sizes: StepSizes): Group[] {
  const groups = Array.from({ length: sizes.prompts }, (_, prompt) => newGroup(model, prompt, sizes));
  const limits = new Map(groups.flatMap((group) => group.sequences).map((s, i) => [s, sizes.lengths[i]!]));
  const params = { ...DEFAULT_SAMPLING, maxTokens: Math.max(...sizes.lengths), temperature: 0.7, ignoreEos: true };
  const maxRows = sizes.prompts * sizes.group;
  const scheduler = new Scheduler(groups, maxRows);
  // Random weights know no end: each completion ends at the length drawn for it.
  const end = (prompt: number, completion: number) => {
    const sequence = groups[prompt]!.sequences[completion]!;
    if (sequence.ids.length >= limits.get(sequence)!) sequence.stopReason = "length";
  };
  const run = new PagedRunner(model, noTokenizer, params, scheduler, end, {
    maxRows,
    longestPrompt: sizes.promptTokens,
  });
  while (!scheduler.done) noGrad(() => scope(() => run.step(8192)));
  run.dispose();
  return groups;
}

function newGroup(model: CausalLM, prompt: number, { group: count, promptTokens }: StepSizes): Group {
  const ids = Array.from({ length: promptTokens }, (_, t) => (prompt * 7919 + t * 104729) % model.config.vocabSize);
  const group: Group = { prompt, promptIds: ids, sequences: [] };
  for (let index = 0; index < count; index++) group.sequences.push(new Sequence(group, index));
  return group;
}
