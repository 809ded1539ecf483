import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { AdamW, clipGradNorm, ops, type Tensor, tensor } from "../../src/torch/index.js";

// torch.optim.AdamW's own trajectories: test/golden/make_optimizer.py
interface Case {
  options: { lr: number; betas: [number, number]; eps: number; weight_decay: number };
  start: number[][];
  grads: number[][][];
  trajectory: number[][][];
}
const golden = JSON.parse(readFileSync(new URL("../fixtures/torch/optimizer.json", import.meta.url), "utf8")) as {
  adamw: Case[];
};

const parameters = (start: number[][]) =>
  new Map(start.map((values, i) => [`layer.${i}.weight`, Object.assign(tensor(values), { requiresGrad: true })]));

const setGrads = (ps: ReadonlyMap<string, Tensor>, grads: readonly number[][]) => {
  [...ps.values()].forEach((p, i) => {
    p.grad = tensor(grads[i]!).to(p.dtype);
  });
};

describe("AdamW", () => {
  test.each(golden.adamw)("follows torch.optim.AdamW with $options", ({ options, start, grads, trajectory }) => {
    const ps = parameters(start);
    const optimizer = new AdamW(ps, { betas: options.betas, eps: options.eps, weightDecay: options.weight_decay });
    grads.forEach((grad, step) => {
      setGrads(ps, grad);
      optimizer.step(options.lr);
      [...ps.values()].forEach((p, i) => {
        for (const [k, value] of p.toArray().entries()) expect(value).toBeCloseTo(trajectory[step]![i]![k]!, 6);
      });
    });
  });

  test("a bf16 weight moves by updates far below its resolution, through its master", () => {
    const weight = tensor([1], [1], "bfloat16");
    weight.requiresGrad = true;
    const optimizer = new AdamW(new Map([["w", weight]]));
    for (let i = 0; i < 1000; i++) {
      weight.grad = tensor([1], [1], "bfloat16");
      optimizer.step(1e-5);
    }
    // 1000 updates of 1e-5: each alone rounds away at bf16's spacing of 0.0039 below 1.
    expect(weight.item()).toBeCloseTo(0.99, 2);
    expect(weight.item()).not.toBe(1);
  });

  test("state saved and loaded continues as if never interrupted", () => {
    const { options, start, grads } = golden.adamw[0]!;
    const whole = parameters(start);
    const a = new AdamW(whole);
    for (const grad of grads) {
      setGrads(whole, grad);
      a.step(options.lr);
    }
    const first = parameters(start);
    const b = new AdamW(first);
    for (const grad of grads.slice(0, 4)) {
      setGrads(first, grad);
      b.step(options.lr);
    }
    const second = parameters([...first.values()].map((p) => p.toArray()));
    const c = new AdamW(second);
    c.load(b.state());
    for (const grad of grads.slice(4)) {
      setGrads(second, grad);
      c.step(options.lr);
    }
    expect([...second.values()].map((p) => p.toArray())).toEqual([...whole.values()].map((p) => p.toArray()));
    expect(() => c.load(new Map())).toThrow(/has no 'exp_avg.layer.0.weight'/);
  });

  test("weight decay leaves biases and norms alone", () => {
    const ps = new Map(
      ["mlp.weight", "mlp.bias", "input_layernorm.weight"].map((name) => [
        name,
        Object.assign(tensor([1]), { requiresGrad: true }),
      ]),
    );
    setGrads(ps, [[0], [0], [0]]);
    new AdamW(ps, { weightDecay: 0.5 }).step(0.1);
    expect([...ps.values()].map((p) => Number(p.item().toFixed(6)))).toEqual([0.95, 1, 1]);
  });
});

describe("clipGradNorm", () => {
  test("scales to the maximum, leaves smaller ones, reports NaN untouched", () => {
    const ps = parameters([[0, 0], [0]]);
    setGrads(ps, [[3, 0], [4]]);
    expect(clipGradNorm(ps.values(), 10)).toBeCloseTo(5, 6);
    expect([...ps.values()].map((p) => p.grad?.toArray())).toEqual([[3, 0], [4]]);
    expect(clipGradNorm(ps.values(), 1)).toBeCloseTo(5, 6);
    expect(ops.norm(ops.cat([...ps.values()].flatMap((p) => p.grad ?? []))).item()).toBeCloseTo(1, 5);
    setGrads(ps, [[Number.NaN, 1], [4]]);
    expect(clipGradNorm(ps.values(), 1)).toBeNaN();
    expect([...ps.values()][1]?.grad?.toArray()).toEqual([4]);
  });

  test("the norm of a large bf16 gradient is exact: it is summed in float32, in parts", () => {
    const size = 2 ** 24 + 2 ** 20 + 3;
    const weight = Object.assign(ops.zeros([size], { dtype: "bfloat16" }), { requiresGrad: true });
    weight.grad = ops.ones([size], { dtype: "bfloat16" });
    expect(clipGradNorm([weight], Number.POSITIVE_INFINITY) / Math.sqrt(size)).toBeCloseTo(1, 6);
  });
});
