/**
 * Our kernels for GPUs: the trials that a GPU puts them to before it uses them, here on their own sources compiled for the CPU. That they
 * compile for GPUs is what scripts/check-cuda-kernels.ts checks.
 */
import { describe, expect, test } from "vitest";
import { CudaKernels, type Launcher } from "../../src/torch/cuda-kernels.js";
import { cudaKernels, kernelVerdicts, tryKernels } from "../../src/torch/cuda-trials.js";
import { liveTensors, ops, scope, tensor } from "../../src/torch/index.js";
import { shimLauncher } from "../support/cuda/shim.js";

const launcher = shimLauncher();
const PARTS = ["siluMul", "addRmsNorm", "rotateAndStore", "draw", "head"];
const PASSED = PARTS.map((part) => ({ part, problem: null }));

describe.each(["float32", "bfloat16"] as const)("in %s", (dtype) => {
  test("every kernel gives what libtorch's operators give", () => {
    const before = liveTensors();
    expect(tryKernels(new CudaKernels(launcher, dtype), "cpu", dtype)).toEqual(PASSED);
    expect(liveTensors()).toBe(before);
  });

  test.each<[string, Launcher["launch"]]>([
    ["does nothing", () => {}],
    ["does only its first blocks", (kernel, _blocks, ...rest) => launcher.launch(kernel, [1, 1], ...rest)],
  ])("a launcher that %s is found out", (_, launch) => {
    const verdicts = tryKernels(new CudaKernels({ ...launcher, launch }, dtype), "cpu", dtype);
    // A block does all there is to a trial of one row only.
    for (const { part, problem } of verdicts) expect([part, problem]).toEqual([part, expect.stringMatching(/off by/)]);
  });

  test("one that cannot be compiled is not used, and says why", () => {
    const load = () => {
      throw new Error("no kernel image");
    };
    const verdicts = tryKernels(new CudaKernels({ ...launcher, load }, dtype), "cpu", dtype);
    expect(verdicts.map(({ problem }) => problem)).toEqual(PARTS.map(() => "no kernel image"));
  });
});

describe("draws", () => {
  const kernels = new CudaKernels(launcher, "float32");
  const NEVER = Number.NEGATIVE_INFINITY;
  /** Of a vocabulary of three chunks, everything impossible but these. */
  const among = (logits: Record<number, number>, u: number) =>
    scope(() => {
      const row = Float32Array.from({ length: 9000 }, (_, i) => logits[i] ?? NEVER);
      const [ids, sampling, plain] = kernels.draw(tensor(row, [1, row.length]), tensor([u], [1, 1]), 0.5);
      return { id: ids.item(), sampling: sampling.item(), plain: plain.item() };
    });

  test.each([
    [0, 0],
    [0.49, 0],
    [0.51, 8999],
    [1 - 2 ** -24, 8999],
  ])("only what is possible, the ends of the vocabulary too: %f takes %i", (u, id) => {
    const drawn = among({ 0: 2, 8999: 2 }, u);
    expect(drawn.id).toBe(id);
    expect(drawn.plain).toBeCloseTo(Math.log(0.5), 5);
    expect(drawn.sampling).toBeCloseTo(Math.log(0.5), 5);
  });

  test("with both log-probabilities where the temperature is not 1", () => {
    // p ∝ e^0, e^1: plain e / (1 + e), at temperature 0.5 e² / (1 + e²).
    const drawn = among({ 4095: 0, 4096: 1 }, 0.9);
    expect(drawn.id).toBe(4096);
    expect(drawn.plain).toBeCloseTo(-Math.log1p(Math.exp(-1)), 5);
    expect(drawn.sampling).toBeCloseTo(-Math.log1p(Math.exp(-2)), 5);
  });

  test("some token with no probability where logits are no numbers", () => {
    const drawn = among({ 5: Number.NaN }, 0.3);
    expect(drawn.id).toBeGreaterThanOrEqual(0);
    expect(drawn.id).toBeLessThan(9000);
    expect(drawn.sampling).toBeNaN();
  });

  test("as often as they are likely", () => {
    scope(() => {
      const rows = 60;
      const logits = tensor([0, 1, 2, 0.5])
        .expand(rows, 4)
        .add(ops.zeros([rows, 4]));
      const uniform = tensor(
        Array.from({ length: rows }, (_, i) => (i + 0.5) / rows),
        [rows, 1],
      );
      const ids = kernels.draw(logits, uniform, 1)[0].toArray();
      const weights = [0, 1, 2, 0.5].map(Math.exp);
      const whole = weights.reduce((a, b) => a + b);
      weights.forEach((w, id) => {
        expect(Math.abs(ids.filter((x) => x === id).length - (rows * w) / whole)).toBeLessThan(2);
      });
    });
  });
});

test("on a CPU none is asked for", () => {
  expect(cudaKernels("cpu", "float32", "draw")).toBeNull();
  expect(kernelVerdicts("cpu", "bfloat16")).toEqual([]);
});
