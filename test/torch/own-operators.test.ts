/** Which operators are ours on this processor: said by the addon, and kept to. */
import { afterEach, describe, expect, it } from "vitest";
import { ops, ownOperators, runsOwn, setOwnOperators } from "../../src/torch/index.js";

afterEach(() => setOwnOperators("measured"));

describe("own operators", () => {
  it("are named with the rows up to which they run", () => {
    const { kernels, operators } = ownOperators();
    expect(["avx512", "avx2", "neon", "baseline"]).toContain(kernels);
    expect(Object.keys(operators)).toEqual([
      "silu_mul",
      "add_rms_norm",
      "packed_attention",
      "decode_attention",
      "linear",
      "linear_wide",
      "draw",
    ]);
    // A norm in one pass over memory is faster everywhere.
    expect(operators.add_rms_norm).toEqual({ float32: null, bfloat16: null });
    expect(runsOwn("add_rms_norm", "float32")).toBe(true);
    expect(runsOwn("add_rms_norm", "float64")).toBe(false);
  });

  it("can be switched off and on, to the bit libtorch's then", () => {
    const [x, w] = [ops.randn([3, 64]), ops.randn([64])];
    const plain = ops.rmsNorm(x, [64], { weight: w, eps: 1e-6 }).toArray();
    const norm = () => ops.addRmsNorm(x, null, w, 1e-6)[1].toArray();
    setOwnOperators("none");
    expect(norm()).toEqual(plain);
    expect(runsOwn("draw", "float32")).toBe(false);
    setOwnOperators("all");
    expect(runsOwn("draw", "float32")).toBe(true);
    norm().forEach((value, i) => {
      expect(value).toBeCloseTo(plain[i]!, 5);
    });
    expect(() => setOwnOperators("some" as never)).toThrow(/all, none or measured, not some/);
  });
});
