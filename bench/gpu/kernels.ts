/** What this libtorch and this device offer, and whether its numbers are right: to be read before any speed. */
import { flashSchema, type Heads, type PagedKernel } from "../../src/engine/paged/attend.js";
import { chooseKernel, trialOf, unfit } from "../../src/engine/paged/kernel.js";
import { varlenProblem } from "../../src/passes/packed-kernel.js";
import { cudaCompiled } from "../../src/torch/cuda.js";
import { kernelVerdicts } from "../../src/torch/cuda-trials.js";
import type { DType } from "../../src/torch/index.js";
import type { Figure } from "./report.js";

/** With shared key heads and without. */
const SHAPES: Heads[] = [
  { heads: 12, kvHeads: 2, headDim: 128 },
  { heads: 4, kvHeads: 4, headDim: 64 },
];
/** Tokens per row, the new one included: 1, 255, 256, 257, 2,500. */
const CACHED = [0, 254, 255, 256, 2499];

export function reportKernels(device: string, dtype: DType): Figure[] {
  const verdict = (what: string, problem: string | null): Figure => ({ what, ok: problem === null, problem });
  const schema = flashSchema();
  const attention = SHAPES.flatMap((heads) => {
    const shape = `${heads.heads}/${heads.kvHeads} heads of ${heads.headDim}`;
    const { kernel, reasons } = chooseKernel(device, dtype, heads);
    const tried: PagedKernel[] = device === "cpu" ? ["math"] : ["flash-paged", "flash-runs", "math"];
    const trials = tried.map((k) => {
      const problem =
        (k === "math" ? null : unfit(k, heads, schema)) ?? trialOf(k, { device, dtype, heads, lengths: CACHED });
      return verdict(`${k}, ${shape}, up to 2,500 tokens`, problem);
    });
    const packed =
      device === "cpu" ? [] : [verdict(`packed training attention, ${shape}`, varlenProblem(device, dtype, heads))];
    return [...trials, ...packed, { what: `chosen for ${shape}`, kernel, passed_over: reasons.join("; ") || null }];
  });
  const own = kernelVerdicts(device, dtype).map(({ part, problem }) => verdict(`our kernel ${part}`, problem));
  const headers = { what: "built with CUDA's headers", cuda: cudaCompiled() };
  const arguments_ = {
    what: "flash attention's schema",
    block_table: schema.includes("block_table"),
    num_splits: schema.includes("num_splits"),
  };
  return [headers, arguments_, ...attention, ...own];
}
