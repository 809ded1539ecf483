/** Decoding through the engine's own loop: paged cache, captured steps, sampling, results read and checked on the host. */

import { PagedRunner } from "../../src/engine/paged/runner.js";
import { Scheduler } from "../../src/engine/scheduler.js";
import { type Group, Sequence } from "../../src/engine/sequence.js";
import { DEFAULT_SAMPLING } from "../../src/engine/types.js";
import { assert } from "../../src/errors.js";
import type { CausalLM } from "../../src/model/index.js";
import type { Tokenizer } from "../../src/text/types.js";
import { cudaMemory, noGrad, resetPeakMemory, scope, synchronize } from "../../src/torch/index.js";
import { stepBytes } from "./shape.js";

/** Prompt tokens read together. */
const PREFILL = 8192;

/** Nothing is decoded to text here. */
export const noTokenizer = { eosTokenIds: [], decode: () => "" } as unknown as Tokenizer;

export interface DecodeFigures {
  batch: number;
  /** Tokens in the cache per sequence, on average over the timed steps. */
  context: number;
  tokensPerSecond: number;
  stepMs: number;
  /** The fewest bytes a step reads. */
  bytes: number;
  prefillTokensPerSecond: number;
  peakBytes: number | null;
}

export interface DecodeSizes {
  context: number;
  steps: number;
  warmups: number;
  temperature: number;
}

/** `batch` sequences of different prompts, all alive from first to last. `capture`: false makes every step as it is, without graphs. */
export function measureDecode(model: CausalLM, batch: number, sizes: DecodeSizes, capture = true): DecodeFigures {
  const { context, steps, warmups, temperature } = sizes;
  const prompt = Math.max(1, context - warmups - Math.floor(steps / 2));
  // While later prompts are read the first rows decode already, a token for each prefill: they must not end before the timing does.
  const ramp = Math.ceil(batch / Math.max(1, Math.floor(PREFILL / prompt)));
  const maxTokens = ramp + warmups + steps + 4;
  const groups = Array.from({ length: batch }, (_, i) => oneOf(model, i, prompt));
  const scheduler = new Scheduler(groups, batch);
  const params = { ...DEFAULT_SAMPLING, maxTokens, temperature, ignoreEos: true, seed: 1 };
  resetPeakMemory(model.device);
  const run = new PagedRunner(model, noTokenizer, params, scheduler, undefined, {
    maxRows: batch,
    longestPrompt: prompt,
    capture,
  });
  const step = () => noGrad(() => scope(() => run.step(PREFILL)));
  try {
    const prefill = seconds(model, () => {
      while (scheduler.running.length < batch) step();
    });
    const lengthAt = () => scheduler.running[0]!.length;
    for (let i = 0; i < warmups; i++) step();
    const before = lengthAt();
    const taken = seconds(model, () => {
      for (let i = 0; i < steps; i++) step();
    });
    assert(scheduler.running.length === batch, `${scheduler.running.length} of ${batch} rows live after the timing`);
    const lengths = scheduler.running.map((sequence) => sequence.length);
    // Rows that began earlier are longer.
    const average = lengths.reduce((sum, length) => sum + length, 0) / batch - (lengthAt() - before) / 2;
    return {
      batch,
      context: average,
      tokensPerSecond: (batch * steps) / taken,
      stepMs: (1000 * taken) / steps,
      bytes: stepBytes(model.config, model.dtype, batch * average),
      prefillTokensPerSecond: (batch * prompt) / prefill,
      peakBytes: cudaMemory(model.device)?.peakAllocated ?? null,
    };
  } finally {
    run.dispose();
  }
}

function oneOf(model: CausalLM, index: number, prompt: number): Group {
  const ids = Array.from({ length: prompt }, (_, t) => (index * 7919 + t * 104729) % model.config.vocabSize);
  const group: Group = { prompt: index, promptIds: ids, sequences: [] };
  group.sequences.push(new Sequence(group, 0));
  return group;
}

function seconds(model: CausalLM, body: () => void): number {
  synchronize(model.device);
  const start = performance.now();
  body();
  synchronize(model.device);
  return (performance.now() - start) / 1000;
}
