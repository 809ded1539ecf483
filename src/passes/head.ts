/**
 * Token log-probabilities without whole logits. The head is applied to a chunk of tokens at a time; training computes the chunk's
 * gradient at once, by hand, and lets the chunk go, so memory does not grow with tokens × vocabulary. With p the softmax of a token's
 * logits x and g the loss's derivative by that token's log-probability, the derivative by the logits is g · (onehot(target) − p); with e
 * that by the token's entropy, e · p · (Σ p x − x) comes to it.
 *
 * N tokens, C of them in a chunk, D hidden size, V vocabulary.
 */

import type { CausalLM } from "../model/decoder.js";
import type { CudaKernels } from "../torch/cuda-kernels.js";
import { cudaKernels } from "../torch/cuda-trials.js";
import { noGrad, ops, scope, type Tensor } from "../torch/index.js";
import { FILL } from "./fill.js";
import { addProduct, holdInFloat32 } from "./half-gradients.js";

export interface HeadOptions {
  /** Logits are divided by it before the softmax, default 1. */
  temperature?: number;
  /** Tokens per chunk; default: as many as make 16M logits. */
  chunk?: number;
  /**
   * Ask for the derivative once, with all log-probabilities, before the chunks' backward pass: for losses over whole sequences.
   * Costs the head's forward product a second time where there is more than one chunk.
   */
  together?: boolean;
  /** The loss's derivative by each token's entropy, [N] float32, where it has one. */
  entropyGradient_N?: Tensor;
}

export interface TokenScores {
  /** log p(target), float32. */
  logps_N: Tensor;
  /** Of the whole next-token distribution, in nats, float32. */
  entropy_N: Tensor;
  /** log p of the most likely token: equal to logps_N where that is the target. */
  best_N: Tensor;
}

/** The loss's derivative by the log-probabilities of one chunk, [C] float32; `start` is the chunk's first token. */
export type LogpGradient = (logps_C: Tensor, start: number) => Tensor;

/** About 200 MB, counting logits, their softmax and their gradient; at vocabularies of 150,000 still 100 tokens at a time. */
const LOGITS_PER_CHUNK = 16 * 1024 * 1024;

/** A GPU reads the head, and adds to its gradient, once per chunk: fewer and larger ones. Not measured yet. */
const LOGITS_PER_CHUNK_CUDA = 8 * LOGITS_PER_CHUNK;

/** Log-probabilities of `targets_N` (int64) after the hidden states; no gradients. */
export function scoreHidden(
  model: CausalLM,
  hidden_ND: Tensor,
  targets_N: Tensor,
  options: HeadOptions = {},
): TokenScores {
  return overChunks(model, hidden_ND, targets_N, options, ({ logps, entropy, best }) => ({ logps, entropy, best }));
}

/**
 * The same, and the backward pass: accumulates the head's gradient, then that of everything below through `hidden_ND`'s graph.
 * `hidden_ND` must come from `model.forward` with gradients on.
 */
export function backwardHidden(
  model: CausalLM,
  hidden_ND: Tensor,
  targets_N: Tensor,
  gradient: LogpGradient,
  options: HeadOptions = {},
): TokenScores {
  holdInFloat32(model);
  return scope(() => {
    const below = hidden_ND.requiresGrad ? ops.emptyLike(hidden_ND) : undefined;
    const hidden = hidden_ND.detach();
    const slope = options.together ? allAtOnce(model, hidden, targets_N, gradient, options) : gradient;
    const scores = overChunks(model, hidden, targets_N, options, (chunk) => {
      const g_C = slope(chunk.logps, chunk.start);
      const e_C = options.entropyGradient_N?.narrow(0, chunk.start, chunk.length);
      pushDown(model, chunk, { g_C, e_C }, below);
      return { logps: chunk.logps, entropy: chunk.entropy, best: chunk.best };
    });
    if (below !== undefined) hidden_ND.backward(below);
    return scores;
  });
}

function allAtOnce(
  model: CausalLM,
  hidden_ND: Tensor,
  targets_N: Tensor,
  gradient: LogpGradient,
  options: HeadOptions,
): LogpGradient {
  if (hidden_ND.size(0) <= chunkSize(model, options)) return gradient;
  const g_N = gradient(scoreHidden(model, hidden_ND, targets_N, options).logps_N, 0);
  return (logps_C, start) => g_N.narrow(0, start, logps_C.size(0));
}

const chunkSize = (model: CausalLM, options: HeadOptions): number =>
  options.chunk ??
  Math.max(
    16,
    Math.floor((model.device === "cpu" ? LOGITS_PER_CHUNK : LOGITS_PER_CHUNK_CUDA) / model.config.vocabSize),
  );

type PerToken = { logps: Tensor; entropy: Tensor; best: Tensor };

interface Place {
  start: number;
  /** Tokens; what follows them in the chunk's matrices only fills them up. */
  length: number;
  hidden_CD: Tensor;
}

interface Chunk extends PerToken, Place {
  /** The loss's derivative by the chunk's logits, in the model's dtype; may be asked for once. */
  logitsGradient(slopes: Slopes): Tensor;
}

interface Softmax {
  targets_C1: Tensor;
  p_CV: Tensor;
  /** Probability times logit, and its sum. */
  xp_CV: Tensor;
  xp_C1: Tensor;
}

function overChunks(
  model: CausalLM,
  hidden_ND: Tensor,
  targets_N: Tensor,
  options: HeadOptions,
  visit: (chunk: Chunk) => PerToken,
): TokenScores {
  const tokens = hidden_ND.size(0);
  const size = chunkSize(model, options);
  return noGrad(() =>
    scope(() => {
      const parts: PerToken[] = [];
      for (let start = 0; start < tokens; start += size) {
        const length = Math.min(size, tokens - start);
        const hidden = filled(hidden_ND.narrow(0, start, length), model);
        const targets = filled(targets_N.narrow(0, start, length), model);
        parts.push(scope(() => visit(scoreChunk(model, start, length, hidden, targets, options.temperature ?? 1))));
      }
      const join = (key: keyof PerToken) =>
        parts.length === 0 ? ops.zeros([0], { device: hidden_ND.device }) : ops.cat(parts.map((p) => p[key]));
      return { logps_N: join("logps"), entropy_N: join("entropy"), best_N: join("best") };
    }),
  );
}

/** Zeros to the next multiple of FILL rows, where a new number of rows costs (packBatch does the same for the layers). */
function filled(rows: Tensor, { device, dtype }: CausalLM): Tensor {
  const missing = device === "cpu" && dtype !== "float32" ? -rows.size(0) & (FILL - 1) : 0;
  if (missing === 0) return rows;
  const none = ops.zeros([missing, ...rows.shape.slice(1)], { dtype: rows.dtype, device });
  return ops.cat([rows, none]);
}

function scoreChunk(
  model: CausalLM,
  start: number,
  length: number,
  hidden_CD: Tensor,
  targets_C: Tensor,
  temperature: number,
): Chunk {
  const logits_CV = model.logits(hidden_CD);
  const kernels = model.device === "cpu" ? null : cudaKernels(model.device, model.dtype, "head");
  if (kernels) return chunkByKernels(kernels, { start, length, hidden_CD }, logits_CV, targets_C, temperature);
  const x_CV = logits_CV.to("float32");
  logits_CV.dispose();
  if (temperature !== 1) ops.div_(x_CV, temperature);
  const p_CV = x_CV.softmax(-1);
  // log Σ exp(x) from the largest logit and its probability: at least 1/V, so its logarithm is exact enough (logsumexp and log_softmax
  // take 2 to 4 times as long as softmax on a CPU).
  const max_C1 = ops.amax(x_CV, { dim: -1, keepdim: true });
  const logSum_C1 = max_C1.sub(ops.amax(p_CV, { dim: -1, keepdim: true }).log());
  const targets_C1 = targets_C.unsqueeze(-1);
  const logps = x_CV.gather(-1, targets_C1).sub(logSum_C1).squeeze(-1);
  const xp_CV = ops.mul_(x_CV, p_CV);
  const xp_C = xp_CV.sum(-1);
  const entropy = logSum_C1.squeeze(-1).sub(xp_C);
  const best = max_C1.sub(logSum_C1).squeeze(-1);
  const [ownLogps, ownEntropy, ownBest] = [logps, entropy, best].map((t) => t.narrow(0, 0, length));
  const own = { logps: ownLogps!, entropy: ownEntropy!, best: ownBest! };
  const softmax = { targets_C1, p_CV, xp_CV, xp_C1: xp_C.unsqueeze(-1) };
  return {
    ...{ start, length, hidden_CD, ...own },
    logitsGradient: ({ g_C, e_C }) =>
      softmaxGradient(softmax, {
        g_C: filled(g_C, model).div(temperature),
        e_C: e_C && filled(e_C, model).div(temperature),
      }).to(model.dtype),
  };
}

/** On a GPU: two kernels that read the logits as they are, with no float32 copy of them, and leave the gradient in their place. */
export function chunkByKernels(
  kernels: Pick<CudaKernels, "headScores" | "headGradient">,
  place: Place,
  logits_CV: Tensor,
  targets_C: Tensor,
  temperature: number,
): Chunk {
  const scored = kernels.headScores(logits_CV, targets_C, temperature);
  return {
    ...{ ...place, logps: scored.logps, entropy: scored.entropies, best: scored.bests },
    logitsGradient: ({ g_C, e_C }) =>
      kernels.headGradient(logits_CV, targets_C, scored, { g: g_C, e: e_C ?? null }, temperature),
  };
}

/** The loss's derivatives by the chunk's log-probabilities and, if it has any, by its entropies. */
interface Slopes {
  g_C: Tensor;
  e_C: Tensor | undefined;
}

/** In place of the probabilities. */
function softmaxGradient(chunk: Softmax, { g_C, e_C }: Slopes): Tensor {
  const g_C1 = g_C.unsqueeze(-1);
  if (e_C === undefined) return ops.scatterAdd_(ops.mul_(chunk.p_CV, g_C1.neg()), -1, chunk.targets_C1, g_C1);
  const e_C1 = e_C.unsqueeze(-1);
  const byP_CV = ops.mul_(chunk.p_CV, e_C1.mul(chunk.xp_C1).sub(g_C1));
  const all_CV = ops.sub_(byP_CV, ops.mul_(chunk.xp_CV, e_C1));
  return ops.scatterAdd_(all_CV, -1, chunk.targets_C1, g_C1);
}

/** Gradients of the chunk's logits → of the head (accumulated) and of the chunk's hidden states (written into `below_ND`). */
function pushDown(model: CausalLM, chunk: Chunk, slopes: Slopes, below_ND: Tensor | undefined): void {
  const logitsGrad = chunk.logitsGradient(slopes);
  const head = model.head_VD;
  if (below_ND !== undefined) {
    const grad_CD = logitsGrad.matmul(head).narrow(0, 0, chunk.length);
    ops.copy_(below_ND.narrow(0, chunk.start, chunk.length), grad_CD);
  }
  if (!head.requiresGrad) return;
  const transposed = logitsGrad.transpose(0, 1);
  const sofar = head.grad;
  if (sofar === null) head.grad = transposed.matmul(chunk.hidden_CD);
  else addProduct(sofar, transposed, chunk.hidden_CD);
}
