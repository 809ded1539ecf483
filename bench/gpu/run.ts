/**
 * `npm run bench:gpu -- [--dollars-per-hour 3.5] [--batches 1,8,72,256] [--sections kernels,check,ceilings,parts,decode,train,twice,step] [--micro-batch auto]
 * [--seconds 420] [--json FILE]`: what sampling and training cost on a GPU at the shape of DeepSeek-R1-Distill-Qwen-1.5B, with random
 * weights. Every figure is a JSON line on stdout as soon as it is known; the tables come last, on stderr. Sections that would begin after
 * --seconds are left out, and say so; one that fails says so too, and the next begins. `--tiny --device cpu` runs all of it on a small shape, to try the script out.
 */
import { appendFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { pagedKernel } from "../../src/engine/paged/kernel.js";
import { UserError } from "../../src/errors.js";
import {
  cudaDevice,
  cudaDeviceCount,
  type DType,
  emptyCache,
  fixWorkspaces,
  isCuda,
  setNumThreads,
  torchVersion,
} from "../../src/torch/index.js";
import { type Ceilings, measureCeilings } from "./ceilings.js";
import { checkGradients, checkSampling } from "./check.js";
import { type DecodeFigures, measureDecode } from "./decode.js";
import { reportKernels } from "./kernels.js";
import { drawLengths, OPEN_RS } from "./lengths.js";
import { measureParts } from "./parts.js";
import { Report, round } from "./report.js";
import { computedParameters, QWEN_1_5B, randomOn, TINY } from "./shape.js";
import { estimateStep, runStep, type StepSeconds, type StepSizes } from "./step.js";
import { measureTraining, Trainer, type TrainFigures } from "./train.js";

const { values: args } = parseArgs({
  options: {
    device: { type: "string", default: "cuda:0" },
    dtype: { type: "string" },
    batches: { type: "string" },
    sections: { type: "string", default: "kernels,check,ceilings,parts,decode,train,twice,step" },
    "micro-batch": { type: "string", default: "auto" },
    "dollars-per-hour": { type: "string", default: "3.5" },
    seconds: { type: "string", default: "420" },
    json: { type: "string" },
    tiny: { type: "boolean", default: false },
  },
});

/** Open-RS: 4 A40 for about 24 hours (arXiv 2503.16219). */
const PAPER_DOLLARS = 42;

const SIZES = args.tiny
  ? {
      config: TINY,
      ceilings: { bytes: 1 << 22, matrix: 256 },
      batches: "1,3",
      decode: { context: 24, steps: 6, warmups: 3, temperature: 0.7 },
      parts: { batch: 3, context: 24 },
      train: { sequences: 6, prompt: 6 },
      lengths: { mean: 20, deviation: 8, least: 4, most: 32 },
      step: { prompts: 3, group: 2, promptTokens: 7 },
    }
  : {
      config: QWEN_1_5B,
      ceilings: { bytes: 1 << 31, matrix: 8192 },
      batches: "72,256,1",
      decode: { context: 2500, steps: 100, warmups: 8, temperature: 0.7 },
      parts: { batch: 72, context: 2500 },
      train: { sequences: 24, prompt: 200 },
      lengths: OPEN_RS,
      step: { prompts: 12, group: 6, promptTokens: 200 },
    };

const { device } = args;
if (isCuda(device) && cudaDeviceCount() === 0)
  throw new UserError("libtorch finds no GPU: run on a machine with one, or try the script with --tiny --device cpu");
if (!isCuda(device)) setNumThreads(1);
const dtype = (args.dtype ?? (isCuda(device) ? "bfloat16" : "float32")) as DType;
const { config } = SIZES;
const sections = new Set(args.sections.split(","));
const report = new Report();
const started = performance.now();
const elapsed = () => (performance.now() - started) / 1000;

/** Runs a section if it is wanted and time is left; an error ends the section, not the script. */
function section<T>(name: string, body: () => T): T | undefined {
  if (!sections.has(name)) return undefined;
  if (elapsed() > Number(args.seconds)) {
    add(name, { left_out: `${args.seconds} s are over` });
    return undefined;
  }
  try {
    return body();
  } catch (error) {
    add(name, { failed: error instanceof Error ? error.message : String(error) });
    process.exitCode = 1;
    return undefined;
  }
}

function add(name: string, figure: Record<string, number | string | boolean | null>): void {
  report.add(name, figure);
  if (args.json) appendFileSync(args.json, `${JSON.stringify({ section: name, ...figure })}\n`);
}

if (args.json) writeFileSync(args.json, "");
const gib = (bytes: number | null) => (bytes === null ? null : round(bytes / 2 ** 30));
const machine = isCuda(device) ? cudaDevice(device) : null;
add("machine", {
  device: machine?.name ?? "CPU",
  capability: machine?.capability ?? null,
  multiprocessors: machine?.multiprocessors ?? null,
  memory_gib: gib(machine?.bytes ?? null),
  torch: torchVersion(),
  dtype,
  attention: pagedKernel(device, dtype, config),
  computed_parameters_m: round(computedParameters(config) / 1e6),
});

section("kernels", () => {
  for (const figure of reportKernels(device, dtype)) {
    add("kernels", figure);
    if (figure.ok === false) process.exitCode = 1;
  }
});

section("check", () => {
  for (const type of isCuda(device) ? (["float32", dtype] as const) : [dtype]) {
    for (const check of checkSampling(device, type)) {
      add("check", {
        what: "sampled against trained log-probabilities",
        dtype: type,
        kernel: check.kernel,
        captured: check.captured,
        tokens: check.tokens,
        mean_difference: round(check.meanDifference),
        max_difference: round(check.maxDifference),
        same_as_uncaptured: check.sameAsUncaptured,
        ok: check.ok,
      });
    }
    const gradients = checkGradients(device, type);
    const error = round(gradients.relativeError);
    add("check", { what: "gradients against the CPU's", dtype: type, relative_error: error, ok: gradients.ok });
  }
});

const ceilings = section("ceilings", (): Ceilings => {
  const measured = measureCeilings(device, dtype, SIZES.ceilings);
  add("ceilings", {
    copy_gb_s: round(measured.copy / 1e9),
    triad_gb_s: round(measured.triad / 1e9),
    matmul_tflops: round(measured.matmul / 1e12),
    matrix: SIZES.ceilings.matrix,
  });
  emptyCache(device);
  return measured;
});

const model = randomOn(config, device, dtype);
section("parts", () => {
  const { batch, context } = SIZES.parts;
  for (const { part, ms } of measureParts(model, batch, context)) add("parts", { batch, context, part, ms: round(ms) });
  emptyCache(device);
});

const decoded: DecodeFigures[] = [];
const modes = isCuda(device) ? [false, true] : [false];
const runs = (args.batches ?? SIZES.batches)
  .split(",")
  .flatMap((batch) => modes.map((captured) => [Number(batch), captured] as const));
for (const [batch, captured] of runs) {
  section("decode", () => {
    const figures = measureDecode(model, batch, SIZES.decode, captured);
    if (captured === modes.at(-1)) decoded.push(figures);
    const rate = (1000 * figures.bytes) / figures.stepMs;
    add("decode", {
      batch,
      captured,
      context: Math.round(figures.context),
      tokens_per_s: Math.round(figures.tokensPerSecond),
      step_ms: round(figures.stepMs),
      gb_per_step: round(figures.bytes / 1e9),
      share_of_bandwidth: ceilings ? round(rate / ceilings.bandwidth, 3) : null,
      prefill_tokens_per_s: Math.round(figures.prefillTokensPerSecond),
      peak_gib: gib(figures.peakBytes),
    });
    emptyCache(device);
  });
}

const wanted = args["micro-batch"] === "auto" ? "auto" : Number(args["micro-batch"]);
const longest = SIZES.lengths.most + Math.max(SIZES.step.promptTokens, SIZES.train.prompt);
let made: Trainer | undefined;
/** Made in the first section that needs it, so that its failure is that section's. */
const theTrainer = (): Trainer => {
  made ??= new Trainer(model, longest, wanted);
  return made;
};

const trained = section("train", (): TrainFigures | undefined => {
  const figures = measureTraining(
    theTrainer(),
    drawLengths(SIZES.train.sequences, SIZES.lengths, 7),
    SIZES.train.prompt,
  );
  add("train", {
    tokens: figures.tokens,
    tokens_per_s: Math.round(figures.tokensPerSecond),
    tflops: round(figures.flopsPerSecond / 1e12),
    share_of_matmul: ceilings ? round(figures.flopsPerSecond / ceilings.matmul, 3) : null,
    optimizer_s: round(figures.optimizerSeconds),
    scoring_tokens_per_s: Math.round(figures.scoringTokensPerSecond),
    tokens_per_pass: figures.tokensPerPass,
    checkpointing: figures.checkpointing,
    peak_gib: gib(figures.peakBytes),
    allocator: process.env.PYTORCH_CUDA_ALLOC_CONF ?? process.env.PYTORCH_ALLOC_CONF ?? null,
  });
  emptyCache(device);
  return figures;
});

/** The same gradient twice: as it comes, and with deterministic algorithms. */
section("twice", () => {
  const lengths = drawLengths(SIZES.train.sequences, SIZES.lengths, 7);
  for (const deterministic of [false, true]) {
    fixWorkspaces(device);
    const [once, again] = [0, 1].map(() => theTrainer().gradientSum(lengths, SIZES.train.prompt, deterministic));
    const same = once === again;
    add("twice", { deterministic, same_bits: same, ok: same || !deterministic });
  }
});

const sizes: StepSizes = { ...SIZES.step, lengths: drawLengths(SIZES.step.prompts * SIZES.step.group, SIZES.lengths) };
const meanLength = Math.round(sizes.lengths.reduce((a, b) => a + b, 0) / sizes.lengths.length);

function addStep(how: "estimated" | "run", seconds: StepSeconds, peakBytes: number | null): void {
  const dollars = Number(args["dollars-per-hour"]);
  add("step", {
    how,
    completions: sizes.lengths.length,
    mean_length: meanLength,
    sampling_s: round(seconds.sampling),
    training_s: round(seconds.training),
    total_s: round(seconds.total),
    hours_100_steps: round((100 * seconds.total) / 3600),
    dollars_100_steps: round((100 * seconds.total * dollars) / 3600),
    at_dollars_per_hour: dollars,
    paper_dollars: PAPER_DOLLARS,
    peak_gib: gib(peakBytes),
  });
}

section("step", () => {
  if (trained && decoded.length > 0) addStep("estimated", estimateStep(config, dtype, decoded, trained, sizes), null);
});
section("step", () => {
  const { peakBytes, ...seconds } = runStep(model, theTrainer(), sizes);
  addStep("run", seconds, peakBytes);
});

report.print();
process.stderr.write(`\n${round(elapsed(), 3)} s\n`);
