/** Whether the device computes what it should: log-probabilities of sampling against those of training, gradients against float32 on the CPU. */
import type { PagedKernel } from "../../src/engine/paged/attend.js";
import { pagedKernel } from "../../src/engine/paged/kernel.js";
import { PagedRunner } from "../../src/engine/paged/runner.js";
import { Scheduler } from "../../src/engine/scheduler.js";
import { type Group, Sequence } from "../../src/engine/sequence.js";
import { DEFAULT_SAMPLING } from "../../src/engine/types.js";
import { CausalLM, parseConfig } from "../../src/model/index.js";
import { backwardTokens, packBatch, scoreTokens } from "../../src/passes/index.js";
import { type DType, isCuda, keep, manualSeed, noGrad, ops, scope } from "../../src/torch/index.js";
import { noTokenizer } from "./decode.js";
import { randomOn } from "./shape.js";
import { randomSequence } from "./train.js";

/** Small, but with FlashAttention's head size; weights so large that a wrong attention shows. */
const CONFIG = parseConfig({
  ...{ architectures: ["Qwen2ForCausalLM"], model_type: "qwen2", hidden_act: "silu", rms_norm_eps: 1e-6 },
  ...{ vocab_size: 512, hidden_size: 256, intermediate_size: 512, num_hidden_layers: 3, num_attention_heads: 4 },
  ...{ num_key_value_heads: 2, max_position_embeddings: 2048, rope_theta: 10000, tie_word_embeddings: false },
});
const STD = 0.1;

/** Around the ends of FlashAttention's blocks of 256. */
const PROMPTS = [250, 3, 256, 511, 100];
const GROUP = 2;
const NEW_TOKENS = 40;

/** Largest mean difference that is rounding (measured on a CPU: 2e-6 and 0.027; blind to the newest token: 0.2). */
const LIMITS: Partial<Record<DType, number>> = { float32: 1e-4, bfloat16: 0.06, float16: 0.02 };

export interface SamplingCheck {
  kernel: PagedKernel;
  captured: boolean;
  tokens: number;
  meanDifference: number;
  maxDifference: number;
  /** The same ids as without graphs. */
  sameAsUncaptured: boolean;
  ok: boolean;
}

/** Samples with each kernel there is, with and without captured graphs, and scores the samples in one packed pass. */
export function checkSampling(device: string, dtype: DType): SamplingCheck[] {
  const model = checkModel(device, dtype);
  const best = pagedKernel(device, dtype, CONFIG);
  const kernels: PagedKernel[] =
    best === "flash-paged" ? [best, "flash-runs", "math"] : best === "math" ? [best] : [best, "math"];
  const checks = kernels.flatMap((kernel) => {
    const plain = sampled(model, kernel, false);
    const runs = [{ groups: plain, captured: false }];
    if (isCuda(device)) runs.push({ groups: sampled(model, kernel, true), captured: true });
    return runs.map(({ groups, captured }) => {
      const difference = againstTraining(model, groups);
      const sameAsUncaptured = JSON.stringify(idsOf(groups)) === JSON.stringify(idsOf(plain));
      const ok = difference.mean < (LIMITS[dtype] ?? 0) && (sameAsUncaptured || dtype !== "float32");
      const { mean: meanDifference, max: maxDifference, tokens } = difference;
      return { kernel, captured, tokens, meanDifference, maxDifference, sameAsUncaptured, ok };
    });
  });
  model.dispose();
  return checks;
}

/** ‖g − g₀‖ / ‖g₀‖ over all parameters: gradients on the device in `dtype` against the CPU's in float32, from the same weights. */
export function checkGradients(device: string, dtype: DType): { relativeError: number; ok: boolean } {
  const reference = checkModel("cpu", "float32");
  const model = copyOf(reference, device, dtype);
  const sequences = [60, 300, 17].map((length, i) => randomSequence(CONFIG.vocabSize, 10, length, i));
  const gradients = (m: CausalLM) => {
    m.requireGrad(true);
    scope(() => void backwardTokens(m, packBatch(sequences, m), (logps) => ops.fullLike(logps, -1 / 377)));
    return [...m.parameters().values()].map((weight) => weight.grad!);
  };
  const relativeError = scope(() => {
    const [expected, actual] = [gradients(reference), gradients(model)];
    let [difference, whole] = [0, 0];
    expected.forEach((g, i) => {
      difference += squares(actual[i]!.to("cpu").to("float32").sub(g));
      whole += squares(g);
    });
    return Math.sqrt(difference / whole);
  });
  reference.dispose();
  model.dispose();
  return { relativeError, ok: relativeError < (dtype === "float32" ? 1e-3 : 0.1) };
}

const squares = (t: ReturnType<typeof ops.mul>): number => t.mul(t).sum().item();

function checkModel(device: string, dtype: DType): CausalLM {
  manualSeed(1);
  return randomOn(CONFIG, device, dtype, STD);
}

function copyOf(model: CausalLM, device: string, dtype: DType): CausalLM {
  const copy = [...model.weights].map(
    ([name, t]) => [name, scope(() => keep(t.detach().to(dtype).to(device).clone()))] as const,
  );
  return new CausalLM(CONFIG, new Map(copy));
}

const idsOf = (groups: readonly Group[]) => groups.map((group) => group.sequences.map(({ ids }) => ids));

function sampled(model: CausalLM, kernel: PagedKernel, capture: boolean): Group[] {
  manualSeed(2);
  const groups = PROMPTS.map((length, prompt) => {
    const group: Group = { prompt, promptIds: randomSequence(CONFIG.vocabSize, length, 0, prompt).ids, sequences: [] };
    for (let index = 0; index < GROUP; index++) group.sequences.push(new Sequence(group, index));
    return group;
  });
  const maxRows = PROMPTS.length * GROUP - 2;
  const scheduler = new Scheduler(groups, maxRows);
  const params = { ...DEFAULT_SAMPLING, maxTokens: NEW_TOKENS, temperature: 1, ignoreEos: true };
  const options = { maxRows, longestPrompt: Math.max(...PROMPTS), kernel, capture, ahead: true };
  const run = new PagedRunner(model, noTokenizer, params, scheduler, undefined, options);
  while (!scheduler.done) noGrad(() => scope(() => run.step(8192)));
  run.dispose();
  return groups;
}

function againstTraining(model: CausalLM, groups: readonly Group[]): { mean: number; max: number; tokens: number } {
  const all = groups.flatMap((group) => group.sequences.map((sequence) => ({ group, sequence })));
  const rows = all.map(({ group, sequence }) => ({
    ids: [...group.promptIds, ...sequence.ids],
    from: group.promptIds.length,
  }));
  const scored = scope(() => scoreTokens(model, packBatch(rows, model)).logps_N.toArray());
  const drawn = all.flatMap(({ sequence }) => sequence.logprobs);
  const differences = drawn.map((logp, i) => Math.abs(logp - scored[i]!));
  const sum = differences.reduce((a, b) => a + b, 0);
  return { mean: sum / differences.length, max: Math.max(...differences), tokens: differences.length };
}
