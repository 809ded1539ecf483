import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { loadSafetensors } from "../../src/torch/safetensors.js";
import { choosePrecision } from "../../src/training/precision.js";
import { additions, sftKeys } from "../sft/additions.js";
import { temporaryFolder, tinyCheckpoint, tinyDataset, tinyRecipe } from "../support/tiny-run.js";

describe("what is computed in", () => {
  const slow = { device: "cpu", cpu: null } as const;
  const fast = { device: "cpu", cpu: "AVX512-BF16" } as const;
  const gpu = { device: "cuda:0", cpu: null } as const;

  test.each([
    // dtype, bf16, stored, place, chosen, why
    ["auto", null, "bfloat16", fast, "bfloat16", "the checkpoint holds bfloat16, and the processor has AVX512-BF16"],
    ["auto", null, "bfloat16", gpu, "bfloat16", "the checkpoint holds bfloat16, and a GPU is fast at bfloat16"],
    [
      ...(["auto", null, "bfloat16", slow, "float32"] as const),
      "the checkpoint holds bfloat16, but the processor has neither AVX512-BF16 nor AMX",
    ],
    ["auto", null, "float16", fast, "bfloat16", "the checkpoint holds float16, and the processor has AVX512-BF16"],
    ["auto", null, "float32", fast, "float32", "the checkpoint holds float32"],
    ["auto", null, "float32", gpu, "float32", "the checkpoint holds float32"],
    ["auto", true, "float32", slow, "bfloat16", "bf16: true"],
    ["auto", false, "bfloat16", fast, "float32", "bf16: false"],
    ["float32", null, "bfloat16", fast, "float32", "the recipe's dtype"],
    ["bfloat16", false, "float32", slow, "bfloat16", "the recipe's dtype"],
    ["float32", true, "float32", fast, "float32", "the recipe's dtype, which wins over bf16: true"],
    ["bfloat16", true, "float32", slow, "bfloat16", "the recipe's dtype"],
    ["float16", null, "float32", gpu, "float16", "the recipe's dtype"],
  ] as const)("dtype %s, bf16 %s, checkpoint in %s, %o: %s", (dtype, bf16, stored, place, chosen, why) => {
    expect(choosePrecision({ dtype, bf16 }, { stored, ...place })).toEqual({ dtype: chosen, why });
  });
});

// The rounding's noise follows from seed and step, so that a run that was stopped goes on to the same bits; SFT saves no generator.
describe("stopped and resumed with stochastic rounding and 8-bit moments, bit for bit", () => {
  const CHILD = fileURLToPath(new URL("../support/train-child.ts", import.meta.url));
  const MODE = ["--bf16", "true", "--master_weights", "false", "--optim", "adamw_8bit"];
  const folder = temporaryFolder();

  beforeAll(() => {
    tinyCheckpoint(folder);
  });

  function run(options: object, keys: readonly string[]) {
    const words = ["--import", "tsx", CHILD, JSON.stringify(options), ...keys, ...MODE];
    const child = spawnSync(process.execPath, words, { encoding: "utf8" });
    expect(child.stdout, child.stderr).not.toBe("");
    const { finished } = JSON.parse(child.stdout) as { finished: boolean };
    return { finished, log: child.stderr };
  }

  const bytes = (...names: string[]) => readFileSync(path.join(...names)).toString("base64");

  test.each([
    ["train", tinyDataset, (output: string) => tinyRecipe(folder, output), {}],
    ["sft", additions, (output: string) => sftKeys(folder, output), { sft: true }],
  ] as const)("%s", (name, data, keys, kind) => {
    data(folder);
    const [whole, stopped] = [path.join(folder, `${name}-whole`), path.join(folder, `${name}-stopped`)];
    const { finished, log } = run(kind, keys(whole));
    expect(finished).toBe(true);
    expect(log).toMatch(/precision: bfloat16 \(bf16: true\), updated by stochastic rounding; 8-bit optimizer moments/);
    expect(run({ ...kind, sigintAfterRow: 3 }, keys(stopped)).finished).toBe(false);
    expect(run(kind, keys(stopped)).finished).toBe(true);
    for (const file of ["model.safetensors", "checkpoint-6/optimizer.safetensors"]) {
      expect(bytes(stopped, file)).toBe(bytes(whole, file));
    }
    const { tensors } = loadSafetensors(path.join(whole, "model.safetensors"));
    expect(new Set([...tensors.values()].map((tensor) => tensor.dtype))).toEqual(new Set(["bfloat16"]));
  });
});
