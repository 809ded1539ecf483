import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  AdamW,
  type AdamWOptions,
  type DType,
  liveBytes,
  liveTensors,
  manualSeed,
  noGrad,
  ops,
  scope,
  type Tensor,
  tensor,
} from "../../src/torch/index.js";
import { loadSafetensors, saveSafetensors } from "../../src/torch/safetensors.js";

const TMP = mkdtempSync(path.join(os.tmpdir(), "open-rs-adamw-"));
afterAll(() => rmSync(TMP, { recursive: true, force: true }));

interface Mode extends AdamWOptions {
  name: string;
  dtype: DType;
}
const MODES: readonly Mode[] = [
  { name: "float32", dtype: "float32" },
  { name: "float32, bf16 moments", dtype: "float32", moments: "bfloat16" },
  { name: "float32, 8-bit moments", dtype: "float32", moments: "8bit" },
  { name: "bf16 with masters", dtype: "bfloat16" },
  { name: "bf16 with masters, 8-bit moments", dtype: "bfloat16", moments: "8bit" },
  { name: "bf16 rounded", dtype: "bfloat16", masterWeights: false },
  { name: "bf16 rounded, bf16 moments", dtype: "bfloat16", masterWeights: false, moments: "bfloat16" },
  { name: "bf16 rounded, 8-bit moments", dtype: "bfloat16", masterWeights: false, moments: "8bit" },
];
const named = (name: string): Mode => MODES.find((mode) => mode.name === name) ?? { name, dtype: "float32" };

function leaf(values: Tensor): Tensor {
  values.requiresGrad = true;
  return values;
}

/** Least squares of 512 rows in 300 unknowns whose columns differ in size by 64: the loss before and after. */
function regress(mode: Mode, steps: number): { start: number; end: number; path: number[] } {
  manualSeed(0);
  const scales = tensor(Array.from({ length: 300 }, (_, i) => 2 ** ((i % 7) - 3)));
  const x = ops.randn([512, 300]).mul(scales);
  const truth = ops.randn([300]).div(scales);
  const y = x.matmul(truth);
  const w = leaf(scope(() => ops.zeros([300]).to(mode.dtype)));
  const optimizer = new AdamW(new Map([["w", w]]), { weightDecay: 0, ...mode });
  const path: number[] = [];
  for (let step = 0; step < steps; step++) {
    scope(() => {
      const error = x.matmul(w.to("float32")).sub(y);
      const loss = error.mul(error).mean();
      loss.backward();
      path.push(loss.item());
      optimizer.step(0.2 * Math.min(1, (steps - step) / (steps / 2)));
      optimizer.zeroGrad();
    });
  }
  optimizer.dispose();
  return { start: path[0] ?? Number.NaN, end: path.at(-1) ?? Number.NaN, path };
}

/** One weight row whose gradients are given for every step. */
function run(mode: Mode, start: Tensor, gradients: (step: number) => Tensor, steps: number, lr: number): number[] {
  const w = leaf(scope(() => start.to(mode.dtype).clone()));
  const optimizer = new AdamW(new Map([["w", w]]), mode);
  for (let step = 0; step < steps; step++) {
    w.grad = scope(() => gradients(step).to(mode.dtype));
    optimizer.step(lr);
  }
  optimizer.dispose();
  return w.toArray();
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe("learning", () => {
  const reference = regress(named("float32"), 300);

  test.each(MODES)("$name solves a regression as float32 does", (mode) => {
    const { start, end, path } = regress(mode, 300);
    expect(start).toBeCloseTo(reference.start, 6);
    // Within a twentieth of the loss on the way down (8 bits: a fifth), and as far down.
    const tolerance = mode.moments === "8bit" ? 0.2 : 0.05;
    for (const step of [20, 50, 100]) {
      expect(Math.abs(Math.log((path[step] ?? 0) / (reference.path[step] ?? 0)))).toBeLessThan(tolerance);
    }
    expect(end / start).toBeLessThan(1e-4);
  });

  test.each(["bf16 rounded", "bf16 rounded, bf16 moments", "bf16 rounded, 8-bit moments"])(
    "%s: at a learning rate of 1e-6 weights move in the mean, where rounding to nearest keeps them",
    (name) => {
      expect(tensor([1 - 1e-6], [1], "bfloat16").item()).toBe(1);
      const size = 65536;
      const moved = run(named(name), ops.ones([size]), () => ops.ones([size]), 100, 1e-6);
      // 100 steps of 1e-6; the mean of 65,536 weights varies by 2.4e-6.
      expect(mean(moved) - 1).toBeGreaterThan(-1.12e-4);
      expect(mean(moved) - 1).toBeLessThan(-0.88e-4);
    },
  );

  test.each(["float32, 8-bit moments", "float32, bf16 moments"])(
    "%s: gradients 2^15 apart in one block all move their weights by the learning rate",
    (name) => {
      const size = 256;
      const gradient = tensor(Array.from({ length: size }, (_, i) => (i % 2 ? -1 : 1) * 2 ** ((i % 16) - 10)));
      const moved = run(named(name), ops.zeros([size]), () => gradient, 30, 1e-3);
      moved.forEach((value, i) => {
        const expected = (i % 2 ? 1 : -1) * 30e-3;
        expect(Math.abs(value / expected - 1)).toBeLessThan(0.1);
      });
    },
  );

  test("8-bit moments follow float32 ones through noisy gradients", () => {
    const size = 4096;
    const gradients = scope(() => {
      manualSeed(2);
      const sizes = ops.randn([size]).exp();
      return Array.from({ length: 200 }, () => ops.randn([size]).add(0.3).mul(sizes));
    });
    const at = (step: number) => gradients[step] ?? tensor(0);
    const whole = run(named("float32"), ops.zeros([size]), at, 200, 1e-3);
    const small = run(named("float32, 8-bit moments"), ops.zeros([size]), at, 200, 1e-3);
    const off = Math.sqrt(mean(small.map((value, i) => (value - (whole[i] ?? 0)) ** 2)));
    const way = Math.sqrt(mean(whole.map((value) => value ** 2)));
    expect(off / way).toBeLessThan(0.08);
    expect(Math.abs(mean(small) / mean(whole) - 1)).toBeLessThan(0.01);
  });
});

describe("the optimizer's state", () => {
  test.each<[string, number]>([
    ["float32", 4 + 8],
    ["bf16 with masters", 2 + 4 + 8],
    ["bf16 with masters, 8-bit moments", 2 + 4 + 2 + 4 / 256],
    ["bf16 rounded", 2 + 8],
    ["bf16 rounded, bf16 moments", 2 + 4],
    ["bf16 rounded, 8-bit moments", 2 + 2 + 4 / 256],
  ])("%s takes %f bytes per parameter with the weight", (name, expected) => {
    const mode = named(name);
    const before = liveBytes();
    const tensors = liveTensors();
    const size = 3 * 2 ** 17;
    const w = leaf(scope(() => ops.zeros([3, 2 ** 17]).to(mode.dtype)));
    const optimizer = new AdamW(new Map([["w", w]]), mode);
    // Steps and counters: 12 bytes in all.
    expect((liveBytes() - before - size * expected) / 16).toBeLessThanOrEqual(1);
    const grad = scope(() => ops.ones([3, 2 ** 17]).to(mode.dtype));
    w.grad = grad;
    optimizer.step(1e-3);
    optimizer.zeroGrad();
    grad.dispose();
    expect((liveBytes() - before - size * expected) / 16).toBeLessThanOrEqual(1);
    optimizer.dispose();
    w.dispose();
    expect([liveBytes(), liveTensors()]).toEqual([before, tensors]);
  });

  test.each(MODES)("$name: saved and loaded it continues to the same bits", (mode) => {
    // Shapes that fill no block, one block and several slices.
    const shapes = [[5], [256], [3, 7, 100], [300, 1000]];
    const gradients = (step: number) => shapes.map((shape, i) => withGenerator(10 * step + i, shape));
    const make = (values: readonly Tensor[]) =>
      new Map(values.map((value, i) => [`layer.${i}.weight`, leaf(scope(() => value.to(mode.dtype).clone()))]));
    const advance = (ps: ReadonlyMap<string, Tensor>, optimizer: AdamW, step: number) => {
      const grads = gradients(step);
      [...ps.values()].forEach((p, i) => {
        const grad = grads[i];
        // One parameter gets no gradient in some steps.
        p.grad = grad && !(i === 1 && step % 2) ? grad.to(mode.dtype) : null;
      });
      optimizer.step(1e-2);
    };
    const start = shapes.map((shape, i) => withGenerator(1000 + i, shape));
    const ps = make(start);
    const optimizer = new AdamW(ps, { ...mode, weightDecay: 0.1, seed: 4 });
    for (let step = 0; step < 3; step++) advance(ps, optimizer, step);
    const file = path.join(TMP, "state.safetensors");
    saveSafetensors(file, optimizer.state());
    const copies = make([...ps.values()].map((p) => p.detach()));
    const resumed = new AdamW(copies, { ...mode, weightDecay: 0.1, seed: 4 });
    resumed.load(loadSafetensors(file).tensors);
    manualSeed(77);
    for (let step = 3; step < 6; step++) advance(ps, optimizer, step);
    for (let step = 3; step < 6; step++) advance(copies, resumed, step);
    [...ps].forEach(([name, p]) => {
      expect(
        noGrad(() => ops.eq(p, copies.get(name) ?? p))
          .toArray()
          .every(Boolean),
      ).toBe(true);
    });
    const state = resumed.state();
    for (const [key, value] of optimizer.state())
      expect(ops.allclose(value, state.get(key) ?? value, { rtol: 0, atol: 0 })).toBe(true);
  });

  test("another precision's state is refused", () => {
    const w = leaf(tensor([1, 2]));
    const of = (options: AdamWOptions) => new AdamW(new Map([["w", w]]), options);
    expect(() => of({ moments: "8bit" }).load(of({}).state())).toThrow(/no 'exp_avg_ratio.w'/);
    expect(() => of({ moments: "bfloat16" }).load(of({}).state())).toThrow(
      /'exp_avg.w' is float32, this run keeps bfloat16/,
    );
  });

  test("float16 weights need masters", () => {
    const w = leaf(tensor([1], [1], "float16"));
    expect(() => new AdamW(new Map([["w", w]]), { masterWeights: false })).toThrow(
      /w is float16: set dtype: bfloat16, or/,
    );
  });
});

function withGenerator(seed: number, shape: readonly number[]): Tensor {
  manualSeed(seed);
  return ops.randn(shape);
}
