import { describe, expect, test } from "vitest";
import { getRngState, manualSeed, noGrad, ops, scope, tensor } from "../../src/torch/index.js";
import { withSeed } from "../../src/torch/random.js";
import { mixSeeds, RoundingNoise, roundToBfloat16 } from "../../src/torch/rounding.js";

const DRAWS = 1 << 17;
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe("stochastic rounding to bfloat16", () => {
  // [value, the bf16 below, the bf16 above], of neighbours 2^(e-7) apart.
  test.each([
    [1 + 0.3 * 2 ** -7, 1, 1 + 2 ** -7],
    [1 - 1e-6, 1 - 2 ** -8, 1],
    [-3.2109375, -3.21875, -3.203125],
    [1.7e-5, 1.6927719e-5, 1.704693e-5],
    [-0.999 * 2 ** 40, -(2 ** 40), -(2 ** 40) * (1 - 2 ** -8)],
  ])("%f becomes %f or %f, and itself in the mean", (value, below, above) => {
    manualSeed(1);
    const rounded = roundToBfloat16(ops.full([DRAWS], value, { dtype: "float32" })).toArray();
    const results = [...new Set(rounded)].sort((a, b) => a - b);
    expect(results.length).toBeLessThanOrEqual(2);
    for (const result of results) expect([below, above].some((end) => Math.abs(result / end - 1) < 1e-6)).toBe(true);
    // Five standard deviations of the mean of that many draws.
    const share = (value - below) / (above - below);
    const deviation = (above - below) * Math.sqrt((share * (1 - share)) / DRAWS);
    expect(Math.abs(mean(rounded) - value)).toBeLessThan(5 * deviation + Math.abs(value) * 2 ** -23);
  });

  test("what bfloat16 can hold stays", () => {
    const values = [0, -0, 1, -1, 0.15625, 2 ** -126, -(2 ** 127), 1 + 2 ** -7, 3.203125];
    for (let seed = 0; seed < 50; seed++) {
      manualSeed(seed);
      expect(roundToBfloat16(tensor(values)).toArray()).toEqual(values);
    }
  });
});

describe("noise", () => {
  test("is uniform, and independent between the stretches made of one table", () => {
    const [stretch, draws] = [65536, 200];
    manualSeed(3);
    const sums = Array.from({ length: draws }, () =>
      scope(() => {
        const noise = new RoundingNoise("cpu");
        const rows = noise
          .next(16, 2 * stretch)
          .to("float64")
          .add(0.5)
          .div(stretch)
          .sub(0.5)
          .view(2, stretch);
        noise.dispose();
        return rows.matmul(rows.transpose(0, 1)).div(stretch).reshape(4).toArray();
      }),
    );
    const [variance, covariance] = [0, 1].map((k) => mean(sums.map((row) => (row[k] ?? 0) * 12)));
    expect(variance).toBeCloseTo(1, 3);
    // Two stretches of one draw may go together, but as often against each other: five deviations of the mean of the draws.
    expect(Math.abs(covariance ?? 1)).toBeLessThan((5 * 0.58) / Math.sqrt(draws));
  });

  test("is seeded without disturbing the generator that samples", () => {
    manualSeed(5);
    const before = getRngState();
    const draw = () => withSeed(7, "cpu", () => scope(() => new RoundingNoise("cpu").next(20, 8).toArray()));
    const first = draw();
    expect(getRngState()).toEqual(before);
    expect(draw()).toEqual(first);
    expect(noGrad(() => withSeed(8, "cpu", () => new RoundingNoise("cpu").next(20, 8).toArray()))).not.toEqual(first);
  });

  test("seeds of neighbouring steps and runs differ", () => {
    const seeds = Array.from({ length: 100 }, (_, run) =>
      Array.from({ length: 100 }, (_, step) => mixSeeds(run, step)),
    );
    expect(new Set(seeds.flat()).size).toBe(10_000);
  });
});
