/** How large passes are, and when layers are checkpointed. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../src/model/index.js";
import { activationBytes, type PassKeys, planPasses, rowsWithin } from "../../src/passes/memory.js";
import { fixtureDir } from "../model/fixtures.js";

const BYTES = { whole: 1000, checkpointed: 100 };
const AUTO: PassKeys = { max_tokens_per_micro_batch: "auto", gradient_checkpointing: "auto" };

describe("passes", () => {
  test.each<[string, PassKeys, { longest: number; memory: number; gpu: boolean }, number, boolean]>([
    ["plenty of memory: as large as pays", AUTO, { longest: 500, memory: 1e9, gpu: false }, 1600, false],
    ["on a GPU too", AUTO, { longest: 500, memory: 1e9, gpu: true }, 32_768, false],
    ["a sequence longer than that stands alone", AUTO, { longest: 9000, memory: 1e9, gpu: false }, 1600, false],
    ["less memory: smaller passes", AUTO, { longest: 500, memory: 1e6, gpu: false }, 1000, false],
    ["the longest sequence does not fit: checkpointing", AUTO, { longest: 4000, memory: 1e6, gpu: false }, 1600, true],
    ["only slow passes fit", AUTO, { longest: 200, memory: 4e5, gpu: false }, 1600, true],
    [
      "true allows it",
      { ...AUTO, gradient_checkpointing: true },
      { longest: 200, memory: 4e5, gpu: false },
      1600,
      true,
    ],
    [
      "and does not force it",
      { ...AUTO, gradient_checkpointing: true },
      { longest: 9, memory: 1e9, gpu: false },
      1600,
      false,
    ],
    [
      "false forbids it",
      { ...AUTO, gradient_checkpointing: false },
      { longest: 200, memory: 4e5, gpu: false },
      400,
      false,
    ],
    [
      "a number is taken as it is",
      { ...AUTO, max_tokens_per_micro_batch: 300 },
      { longest: 200, memory: 4e5, gpu: false },
      300,
      false,
    ],
    [
      "and checkpointed where it must",
      { ...AUTO, max_tokens_per_micro_batch: 500 },
      { longest: 200, memory: 4e5, gpu: false },
      500,
      true,
    ],
    ["no memory at all: one sequence after the other", AUTO, { longest: 200, memory: -5, gpu: false }, 1, true],
  ])("%s", (_, keys, room, maxTokens, checkpointing) => {
    expect(planPasses(BYTES, keys, room)).toEqual({ maxTokens, checkpointing });
  });
});

describe("activations", () => {
  test("grow with the layers, checkpointed only by their inputs", () => {
    const config = loadConfig(fixtureDir("qwen3"));
    const twice = { ...config, layers: 2 * config.layers, kinds: [...config.kinds, ...config.kinds] };
    const [once, double] = [config, twice].map((c) => activationBytes(c, "float32", "cpu"));
    expect(double!.checkpointed - once!.checkpointed).toBe(4 * config.layers * config.hiddenSize);
    expect(double!.whole).toBeGreaterThan(1.6 * once!.whole);
  });

  test("of layers with windows grow once sequences are longer", () => {
    const config = loadConfig(fixtureDir("mistral-window"));
    const [inside, beyond] = [11, 12].map((longest) => activationBytes(config, "float32", "cpu", longest));
    expect(inside).toEqual(activationBytes({ ...config, kinds: [ALL, ALL] }, "float32", "cpu", 5000));
    expect(beyond!.whole).toBeGreaterThan(inside!.whole);
    expect(beyond!.checkpointed).toBeGreaterThan(inside!.checkpointed);
  });

  const ALL = { window: undefined, rope: 0 };

  const script = fileURLToPath(new URL("../../bench/scale/measure.ts", import.meta.url));
  const pass = { kind: "pass", hidden: 256, layers: 4, vocabulary: 512, tokens: 1024 };

  test.each([
    ["float32", false],
    ["bfloat16", false],
    ["float32", true],
  ])("are what a process really takes (%s, checkpointed: %s)", (dtype, checkpointing) => {
    const work = JSON.stringify({ ...pass, dtype, checkpointing });
    const env = { ...process.env, OMP_NUM_THREADS: "1" };
    const { stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", script, work], {
      encoding: "utf8",
      env,
    });
    expect(stderr).toBe("");
    const { peak, expected } = JSON.parse(stdout) as { peak: number; expected: number };
    // The head's chunk and what libtorch sets up at first use come on top.
    expect(peak / expected).toBeGreaterThan(0.7);
    expect(peak / expected).toBeLessThan(1.5);
  });
});

test.each([
  ["memory for all", 1e12, 4608, 256],
  ["Qwen2.5-1.5B's 28,672 bytes a token in 2 GiB, 4,608 tokens a row", 2 ** 31, 4608, 13],
  ["shorter rows", 2 ** 31, 1152, 52],
  ["next to none: one at a time", 1, 4608, 1],
  ["less than none", -1e9, 4608, 1],
])("completions sampled at a time: %s", (_name, memory, longest, rows) => {
  expect(rowsWithin(memory, longest, 28_672)).toBe(rows);
});
