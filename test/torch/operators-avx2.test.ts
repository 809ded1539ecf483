/** The operators of our own with AVX2, which a bigger processor has as well. */
import { expect, it } from "vitest";
import { limitTo } from "../support/instruction-set.js";

const limited = limitTo("avx2");
const { cpuCapability } = await import("../../src/torch/index.js");
await import("../support/operator-cases.js");

it("libtorch keeps to it too", () => {
  if (limited) expect(cpuCapability()).toBe("AVX2");
  else expect(["DEFAULT", "SVE256", "SVE128"]).toContain(cpuCapability());
});
