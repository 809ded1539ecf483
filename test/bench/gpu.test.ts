import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { DecodeFigures } from "../../bench/gpu/decode.js";
import { drawLengths, OPEN_RS } from "../../bench/gpu/lengths.js";
import { cacheBytes, computedParameters, QWEN_1_5B, stepBytes, TINY, trainingFlops } from "../../bench/gpu/shape.js";
import { bandwidthAt } from "../../bench/gpu/step.js";

test("the shape is the paper's model", () => {
  // Hugging Face counts 1,777,088,000 parameters; the embedding of 151,936 × 1,536 is looked up, not multiplied with.
  expect(computedParameters(QWEN_1_5B)).toBe(1_777_088_000 - 151_936 * 1536);
  // Keys and values of 2 heads of 128 in 28 layers, two bytes each.
  expect(cacheBytes(QWEN_1_5B, "bfloat16")).toBe(28_672);
  expect(stepBytes(QWEN_1_5B, "bfloat16", 72_000) / 1e9).toBeCloseTo(3.0874 + 2.0644, 3);
});

test("operations of training: the parameters' and attention's share by hand", () => {
  const parameters = 6 * computedParameters(TINY) * 30;
  // 2 layers, 64 wide; a sequence of T tokens: q·k and p·v of T²/2 pairs, 2 operations each, three times.
  const attention = 2 * 64 * (10 * 10 + 20 * 20) * 2 * 2 * 0.5 * 3;
  expect(trainingFlops(TINY, [10, 20])).toBe(parameters + attention);
});

test("lengths are around their mean, within their bounds, and the same each time", () => {
  const lengths = drawLengths(2000, OPEN_RS);
  expect(lengths).toEqual(drawLengths(2000, OPEN_RS));
  expect(Math.min(...lengths)).toBeGreaterThanOrEqual(200);
  expect(Math.max(...lengths)).toBe(3584);
  expect(lengths.reduce((a, b) => a + b) / 2000).toBeGreaterThan(2400);
  expect(lengths.reduce((a, b) => a + b) / 2000).toBeLessThan(2550);
});

test.each([
  [1, 100],
  [4, 150],
  [7, 200],
  [9, 200],
])("bandwidth at batch %i lies between the measured ones: %i", (batch, expected) => {
  const at = (batch: number, bytes: number) => ({ batch, bytes, stepMs: 1000 }) as DecodeFigures;
  expect(bandwidthAt([at(7, 200), at(1, 100)], batch)).toBeCloseTo(expected);
});

test("the script runs through on a CPU", { timeout: 60_000 }, () => {
  const script = fileURLToPath(new URL("../../bench/gpu/run.ts", import.meta.url));
  const run = spawnSync(process.execPath, ["--import", "tsx", script, "--tiny", "--device", "cpu"], {
    encoding: "utf8",
  });
  const rows = run.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect([run.status, rows.find((row) => "failed" in row)]).toEqual([0, undefined]);
  expect(rows.map((row) => row.section)).toEqual([
    ...["machine", ...Array(6).fill("kernels"), "check", "check", "ceilings", ...Array(8).fill("parts"), "decode"],
    ...["decode", "train", "twice", "twice", "step", "step"],
  ]);
  expect(rows.filter((row) => row.section === "check").map((row) => row.ok)).toEqual([true, true]);
  expect(run.stderr).toContain("share_of_bandwidth");
});
