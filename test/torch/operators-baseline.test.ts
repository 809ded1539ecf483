/** The operators of our own with what every processor has. */
import { expect, it } from "vitest";
import { limitTo } from "../support/instruction-set.js";

const limited = limitTo("default");
const { cpuCapability } = await import("../../src/torch/index.js");
await import("../support/operator-cases.js");

it("libtorch keeps to it too", () => {
  if (limited) expect(cpuCapability()).toBe("DEFAULT");
  else expect(["DEFAULT", "SVE256", "SVE128"]).toContain(cpuCapability());
});
