/** Training on packed sequences: forward, loss, backward in passes, then clipping and AdamW. */
import type { CausalLM } from "../../src/model/index.js";
import { backwardTokens, packBatch, planBatches, type ScoredSequence, scoreTokens } from "../../src/passes/index.js";
import { choosePasses, type PassPlan } from "../../src/passes/memory.js";
import {
  AdamW,
  clipGradNorm,
  cudaMemory,
  deterministically,
  ops,
  resetPeakMemory,
  scope,
  synchronize,
  type Tensor,
} from "../../src/torch/index.js";
import { wall } from "./clock.js";
import { trainingFlops } from "./shape.js";

export interface TrainFigures {
  tokens: number;
  tokensPerSecond: number;
  /** The model's operations (shape.ts) over the time of forward, backward and update. */
  flopsPerSecond: number;
  optimizerSeconds: number;
  /** Forward only, as for a reference model's log-probabilities. */
  scoringTokensPerSecond: number;
  tokensPerPass: number;
  checkpointing: boolean;
  peakBytes: number | null;
}

/** The model with its optimizer; `update` is a GRPO step's second half. */
export class Trainer {
  readonly plan: PassPlan;
  readonly #optimizer: AdamW;

  constructor(
    readonly model: CausalLM,
    longest: number,
    maxTokens: number | "auto",
  ) {
    const keys = { optim: "adamw_torch_fused", master_weights: true, gradient_checkpointing: true } as const;
    this.plan = choosePasses(model, { ...keys, max_tokens_per_micro_batch: maxTokens }, longest);
    model.requireGrad(true);
    this.#optimizer = new AdamW(model.parameters());
  }

  /** Gradients of a loss that moves every scored token's log-probability alike. */
  accumulate(sequences: readonly ScoredSequence[]): void {
    const scored = sequences.reduce((sum, { ids, from }) => sum + ids.length - from, 0);
    for (const pass of this.#passes(sequences)) {
      scope(() => {
        const batch = packBatch(pass, this.model);
        const slope = 1 / scored;
        const { checkpointing } = this.plan;
        backwardTokens(this.model, batch, (logps) => ops.fullLike(logps, -slope), { checkpointing });
      });
    }
  }

  /** A sum over all gradients' bits: two of them differ if any bit does, but for rare chance. */
  gradientSum(lengths: readonly number[], prompt: number, deterministic: boolean): string {
    const sequences = lengths.map((length, i) => randomSequence(this.model.config.vocabSize, prompt, length, i));
    this.#optimizer.zeroGrad();
    if (deterministic) deterministically(() => this.accumulate(sequences));
    else this.accumulate(sequences);
    const sums = [...this.model.parameters().values()].map((weight) => scope(() => bitsOf(weight.grad!)));
    this.#optimizer.zeroGrad();
    return sums.join();
  }

  score(sequences: readonly ScoredSequence[]): void {
    for (const pass of this.#passes(sequences)) scope(() => void scoreTokens(this.model, packBatch(pass, this.model)));
  }

  update(): void {
    clipGradNorm(this.model.parameters().values(), 1);
    this.#optimizer.step(1e-6);
    this.#optimizer.zeroGrad();
  }

  dispose(): void {
    this.#optimizer.dispose();
    this.model.requireGrad(false);
  }

  #passes(sequences: readonly ScoredSequence[]): ScoredSequence[][] {
    return planBatches(sequences, this.model, this.plan).map((indices) => indices.map((i) => sequences[i]!));
  }
}

const bitsOf = (t: Tensor): number => ops.viewDtype(t.to("float32"), "int32").to("int64").sum().item();

/** A prompt and a completion of random tokens. */
export function randomSequence(vocabSize: number, prompt: number, completion: number, salt: number): ScoredSequence {
  const ids = Array.from({ length: prompt + completion }, (_, t) => (salt * 7919 + t * 104729) % vocabSize);
  return { ids, from: prompt };
}

export function measureTraining(trainer: Trainer, lengths: readonly number[], prompt: number): TrainFigures {
  const { model, plan } = trainer;
  const sequences = lengths.map((length, i) => randomSequence(model.config.vocabSize, prompt, length, i));
  const whole = sequences.map(({ ids }) => ids.length);
  const tokens = whole.reduce((a, b) => a + b, 0);
  // The first pass and update ready the libraries and make what the optimizer keeps.
  trainer.accumulate(sequences.slice(0, 2));
  trainer.update();
  synchronize(model.device);
  resetPeakMemory(model.device);
  const passes = wall(model.device, () => trainer.accumulate(sequences));
  const update = wall(model.device, () => trainer.update());
  const peakBytes = cudaMemory(model.device)?.peakAllocated ?? null;
  trainer.score(sequences.slice(0, 2));
  const scoring = wall(model.device, () => trainer.score(sequences));
  return {
    tokens,
    tokensPerSecond: tokens / (passes + update),
    flopsPerSecond: trainingFlops(model.config, whole) / (passes + update),
    optimizerSeconds: update,
    scoringTokensPerSecond: tokens / scoring,
    tokensPerPass: plan.maxTokens,
    checkpointing: plan.checkpointing,
    peakBytes,
  };
}
