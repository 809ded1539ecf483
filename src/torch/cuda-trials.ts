/** Which of our kernels are used on a GPU: those that give there what libtorch's operators give, tried once per device and dtype. */
import { noGrad } from "./autograd.js";
import { isCuda } from "./cuda.js";
import { CudaKernels, cudaLauncher } from "./cuda-kernels.js";
import { KERNEL_TYPES } from "./cuda-programs.js";
import type { DType } from "./dtype.js";
import * as ops from "./ops.generated.js";
import { scope } from "./scope.js";
import { type Tensor, tensor } from "./tensor.js";
import { furthest, noise, relativeError } from "./trial.js";

export type KernelPart = "siluMul" | "addRmsNorm" | "rotateAndStore" | "draw" | "head";

export interface Verdict {
  part: KernelPart;
  /** null: it is used. */
  problem: string | null;
}

interface Choice {
  kernels: CudaKernels;
  verdicts: readonly Verdict[];
}

const known = new Map<string, Choice | null>();

/** The kernels with `part` among them, or null: on a CPU, where the trial of `part` failed, or OPEN_RS_CUDA_KERNELS is 0. */
export function cudaKernels(device: string, dtype: DType, part: KernelPart): CudaKernels | null {
  if (!isCuda(device)) return null;
  const choice = choiceFor(device, dtype);
  return choice?.verdicts.some((v) => v.part === part && v.problem === null) ? choice.kernels : null;
}

/** What came of the trials on a GPU; none where there were none. */
export const kernelVerdicts = (device: string, dtype: DType): readonly Verdict[] =>
  isCuda(device) ? (choiceFor(device, dtype)?.verdicts ?? []) : [];

function choiceFor(device: string, dtype: DType): Choice | null {
  const key = `${device} ${dtype}`;
  if (!known.has(key)) known.set(key, wanted(dtype) ? choose(device, dtype) : null);
  return known.get(key)!;
}

const wanted = (dtype: DType): boolean => dtype in KERNEL_TYPES && process.env.OPEN_RS_CUDA_KERNELS !== "0";

function choose(device: string, dtype: DType): Choice {
  const kernels = new CudaKernels(cudaLauncher(device), dtype);
  return { kernels, verdicts: tryKernels(kernels, device, dtype) };
}

/** Every kernel's trial. */
export function tryKernels(kernels: CudaKernels, device: string, dtype: DType): Verdict[] {
  return (Object.keys(TRIALS) as KernelPart[]).map((part) => {
    try {
      const error = noGrad(() => scope(() => Math.max(...TRIALS[part](kernels.withSpoiltOutputs(), device, dtype))));
      const limit = dtype === "float32" ? 1e-4 : 0.02;
      return { part, problem: error <= limit ? null : `its numbers are off by ${error.toPrecision(2)}` };
    } catch (error) {
      return { part, problem: error instanceof Error ? error.message : String(error) };
    }
  });
}

/** Each gives errors relative to what the operators say. */
const TRIALS: Record<KernelPart, (kernels: CudaKernels, device: string, dtype: DType) => number[]> = {
  siluMul(kernels, device, dtype) {
    const x = noise([3, 5, 2 * 96], 1, 8)
      .to(dtype)
      .to(device);
    return [relativeError(kernels.siluMul(x), ops.siluMul(x))];
  },

  addRmsNorm(kernels, device, dtype) {
    const [x, delta] = [1, 2].map((seed) => noise([7, 320], seed, 3).to(dtype).to(device));
    const weight = noise([320], 3).add(1.5).to(dtype).to(device);
    return [delta!, null].flatMap((d) => {
      const expected = ops.addRmsNorm(x!, d, weight, 1e-6);
      return kernels.addRmsNorm(x!, d, weight, 1e-6).map((t, i) => relativeError(t, expected[i]!));
    });
  },

  rotateAndStore(kernels, device, dtype) {
    const [heads, kvHeads, dim, blockSize] = [6, 2, 64, 4];
    const qkv = noise([3, heads + 2 * kvHeads, dim], 1)
      .to(dtype)
      .to(device);
    const table = (f: (angle: number) => number, sign: number) => {
      const at = (n: number, k: number) => (k < dim / 2 ? sign : 1) * f(n / 3 ** (k % (dim / 2)));
      const numbers = Array.from({ length: 12 * dim }, (_, i) => at(Math.floor(i / dim), i % dim));
      return tensor(numbers, [12, dim]).to(dtype).to(device);
    };
    const [cos, sin] = [table(Math.cos, 1), table(Math.sin, -1)];
    const positions = tensor([0, 7, 11], [3, 1], "int64").to(device);
    const blocks = tensor(Int32Array.from([3, 0, 0, 5, 1, 0, 2, 6, 4]), [3, 3]).to(device);
    const slots = tensor([3 * 4, 1 * 4 + 3, 4 * 4 + 3], [3], "int64").to(device);
    const pool = () => ops.zeros([7, blockSize, kvHeads, dim], { dtype, device });
    const [keys, values] = [pool(), pool()];
    const q = kernels.rotateAndStore(qkv, { positions, blocks, keys, values }, { cos, sin });
    const [cos_31K, sin_31K] = [cos, sin].map((t) => t.indexSelect(0, positions.squeeze(1)).unsqueeze(1));
    const turned = ops.addcmul(qkv.mul(cos_31K!), ops.roll(qkv, dim / 2, { dims: -1 }), sin_31K!);
    const stored = (t: Tensor) => ops.indexCopy_(pool().view(-1, kvHeads, dim), 0, slots, t);
    return [
      relativeError(q, turned.narrow(1, 0, heads)),
      relativeError(keys.view(-1, kvHeads, dim), stored(turned.narrow(1, heads, kvHeads))),
      relativeError(values.view(-1, kvHeads, dim), stored(qkv.narrow(1, heads + kvHeads, kvHeads))),
    ];
  },

  draw(kernels, device, dtype) {
    const [rows, vocab, temperature] = [5, 9001, 0.7];
    const logits = noise([rows, vocab], 1, 12).to(dtype).to(device);
    const uniform = tensor([0, 0.2, 0.5, 0.9, 1 - 2 ** -24], [rows, 1]).to(device);
    const [ids, sampling, plain] = kernels.draw(logits, uniform, temperature);
    // An index out of bounds would end the process on a GPU.
    const known = ops.clamp_(ids.clone(), { min: 0, max: vocab - 1 });
    if (ops.ne(known, ids).sum().item() > 0) return [Number.POSITIVE_INFINITY];
    const of = (t: Tensor) => t.gather(-1, ids.unsqueeze(-1)).squeeze(-1);
    const x = logits.to("float32");
    const p = x.div(temperature).softmax(-1);
    // The number lies where the token does in the cumulative distribution.
    const [above, u] = [of(ops.cumsum(p, -1)), uniform.squeeze(-1)];
    const outside = ops.amax(ops.cat([u.sub(above), above.sub(of(p)).sub(u)]), { dim: [] }).item();
    const float32 = [Number.isFinite(outside) ? Math.max(0, outside) : 1];
    return [...float32, furthest(sampling, of(p).log()), furthest(plain, of(x.logSoftmax(-1)))];
  },

  head(kernels, device, dtype) {
    const [rows, vocab, temperature] = [4, 1003, 0.7];
    const logits = noise([rows, vocab], 1, 5).to(dtype).to(device);
    const targets = tensor([0, 17, 600, 1002], [rows], "int64").to(device);
    const [g, e] = [1, 2].map((seed) => noise([rows], seed).to(device));
    const logp = logits.to("float32").div(temperature).logSoftmax(-1);
    const p = logp.exp();
    const entropy = logp.mul(p).sum(-1).neg();
    const own = logp.gather(-1, targets.unsqueeze(-1)).squeeze(-1);
    const scored = kernels.headScores(logits, targets, temperature);
    const scores = [
      furthest(scored.logps, own),
      furthest(scored.entropies, entropy),
      furthest(scored.bests, ops.amax(logp, { dim: [-1] })),
    ];
    const gradients = [null, e!].map((withEntropy) => {
      const byP =
        withEntropy === null ? g!.neg().unsqueeze(-1).expand(rows, vocab) : slopeOf(g!, withEntropy, logp, entropy);
      const expected = ops.scatterAdd_(p.mul(byP), -1, targets.unsqueeze(-1), g!.unsqueeze(-1)).div(temperature);
      const made = kernels.headGradient(logits.clone(), targets, scored, { g: g!, e: withEntropy }, temperature);
      return relativeError(made, expected);
    });
    return [...scores, ...gradients];
  },
};

/** −g − e (log p + H): what each probability is multiplied with. */
const slopeOf = (g: Tensor, e: Tensor, logp: Tensor, entropy: Tensor): Tensor =>
  g
    .unsqueeze(-1)
    .add(e.unsqueeze(-1).mul(logp.add(entropy.unsqueeze(-1))))
    .neg();
