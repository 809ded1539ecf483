/** One case of bench/scale.ts, from its argument; prints what it measured as JSON. */
import { readFileSync, writeFileSync } from "node:fs";
import { seededRandom } from "../../src/demo/random.js";
import type { Sample } from "../../src/grpo/sample.js";
import { learn } from "../../src/grpo/step.js";
import { type CausalLM, parseConfig, randomModel } from "../../src/model/index.js";
import { backwardHidden, backwardTokens, packBatch, scoreTokens } from "../../src/passes/index.js";
import { activationBytes, choosePasses } from "../../src/passes/memory.js";
import { batchShape, resolveGrpoRecipe } from "../../src/recipe/index.js";
import { manualSeed, ops, scope, setNumThreads, type Tensor } from "../../src/torch/index.js";
import { Learner } from "../../src/training/learner.js";

interface Model {
  hidden: number;
  layers: number;
  vocabulary: number;
  dtype: "float32" | "bfloat16";
}
/** A GRPO step without sampling: completions of lengths around `mean`, at most `limit`. */
type StepCase = Model & { kind: "step"; prompts: number; group: number; mean: number; limit: number };
/** The head and the loss alone; or a pass over all layers. */
type LossCase = Model & { kind: "loss"; tokens: number };
type PassCase = Model & { kind: "pass"; tokens: number; checkpointing: boolean };
export type Case = StepCase | LossCase | PassCase;

export interface Measured {
  /** CPU seconds. */
  seconds: number;
  tokens: number;
  /** Bytes. */
  peak: number;
  expected?: number;
}

function modelOf({ hidden, layers, vocabulary, dtype }: Model): CausalLM {
  const config = {
    architectures: ["Qwen2ForCausalLM"],
    model_type: "qwen2",
    vocab_size: vocabulary,
    hidden_size: hidden,
    intermediate_size: 4 * hidden,
    num_hidden_layers: layers,
    num_attention_heads: Math.max(1, hidden / 64),
    num_key_value_heads: Math.max(1, hidden / 128),
    max_position_embeddings: 4096,
    tie_word_embeddings: true,
    rms_norm_eps: 1e-6,
    rope_theta: 10_000,
    hidden_act: "silu",
  };
  return randomModel(parseConfig(config, "bench/scale"), { dtype }).requireGrad(true);
}

const random = seededRandom(1);
const ids = (count: number) => Array.from({ length: count }, () => random.integer(3, 500));

/** Tokens of a prompt; its group shares them. */
const PROMPT = 12;

function samplesOf({ prompts, group, mean, limit }: StepCase): Sample[] {
  const promptIds = Array.from({ length: prompts }, () => ids(PROMPT));
  return Array.from({ length: prompts * group }, (_, i) => {
    // Exponential lengths, as models that have learnt to stop give them, cut at four times the mean.
    const length = Math.max(1, Math.min(4 * mean, limit, Math.round(-mean * Math.log(1 - random.next()))));
    const common = { truncated: false, samplerLogps: Array<number>(length).fill(-6), oldLogps: null, refLogps: null };
    const prompt = promptIds[Math.floor(i / group)]!;
    return { promptIds: prompt, ids: ids(length), advantage: i % 2 === 0 ? 1 : -1, ...common };
  });
}

function step(work: StepCase): Measured {
  const samples = samplesOf(work);
  const model = modelOf(work);
  const { recipe } = resolveGrpoRecipe({
    model_name_or_path: "-",
    dataset_name: "-",
    reward_funcs: ["format"],
    max_completion_length: work.limit,
    num_generations: work.group,
    per_device_train_batch_size: samples.length,
    gradient_accumulation_steps: 1,
  });
  const learner = new Learner(model, recipe, 1000);
  const passes = choosePasses(model, recipe, PROMPT + work.limit);
  const context = { learner, recipe, shape: batchShape(recipe), passes };
  const seconds = least(6, () => void learn(context, [{ samples, all: samples }], 1));
  const tokens = samples.reduce((sum, s) => sum + s.ids.length, work.prompts * PROMPT);
  return { seconds, tokens, peak: 0 };
}

const slope = (logps: Tensor) => ops.fullLike(logps, -1e-3);

function loss(work: LossCase): Measured {
  const model = modelOf(work);
  model.head_VD.grad = ops.zerosLike(model.head_VD);
  const hidden = ops.randn([work.tokens, work.hidden]).to(work.dtype);
  hidden.requiresGrad = true;
  const targets = ops.full([work.tokens], 7, { dtype: "int64" });
  return { tokens: work.tokens, ...peakOf(() => void backwardHidden(model, hidden, targets, slope)) };
}

function pass(work: PassCase): Measured {
  const model = modelOf(work);
  const sequences = Array.from({ length: work.tokens / 128 }, (_, i) => ({
    ids: ids(i % 2 ? 100 : 156),
    from: 127 - (i % 2 ? 28 : 0),
  }));
  const batch = packBatch(sequences, model);
  for (const weight of model.parameters().values()) weight.grad = ops.zerosLike(weight);
  // Whatever the first pass through libtorch sets up once.
  scope(() => void scoreTokens(model, packBatch(sequences.slice(0, 1), model)));
  const bytes = activationBytes(model.config, work.dtype, "cpu");
  const options = { checkpointing: work.checkpointing };
  const measured = peakOf(() => void backwardTokens(model, batch, slope, options));
  const expected = work.tokens * (work.checkpointing ? bytes.checkpointed : bytes.whole);
  return { tokens: work.tokens, ...measured, expected };
}

/** The least CPU time of some rounds, after one to warm up. */
function least(rounds: number, body: () => void): number {
  body();
  return Math.min(...Array.from({ length: rounds }, () => cpuSeconds(body)));
}

function cpuSeconds(body: () => void): number {
  const start = process.cpuUsage();
  scope(body);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

/** Peak resident set during `body`, above what stood before. */
function peakOf(body: () => void): { seconds: number; peak: number } {
  writeFileSync("/proc/self/clear_refs", "5");
  const before = status("VmRSS");
  const seconds = cpuSeconds(body);
  return { seconds, peak: status("VmHWM") - before };
}

function status(name: string): number {
  const kilobytes = new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return Number(kilobytes) * 1024;
}

manualSeed(1);
setNumThreads(Number(process.env.OMP_NUM_THREADS ?? 1));
const work = JSON.parse(process.argv[2] ?? "") as Case;
const measured = work.kind === "step" ? step(work) : work.kind === "loss" ? loss(work) : pass(work);
process.stdout.write(JSON.stringify(measured));
