import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { loadGrpoRecipe, resolveGrpoRecipe } from "../../src/recipe/index.js";
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
    ["auto", true, "float32", fast, "bfloat16", "bf16: true"],
    ["auto", false, "bfloat16", fast, "float32", "bf16: false"],
    ["float32", null, "bfloat16", fast, "float32", "the recipe's dtype"],
    ["bfloat16", false, "float32", fast, "bfloat16", "the recipe's dtype"],
    ["float32", true, "float32", fast, "float32", "the recipe's dtype, which wins over bf16: true"],
    ["bfloat16", true, "float32", gpu, "bfloat16", "the recipe's dtype"],
    ["float16", null, "float32", gpu, "float16", "the recipe's dtype"],
  ] as const)("dtype %s, bf16 %s, checkpoint in %s, %o: %s", (dtype, bf16, stored, place, chosen, why) => {
    expect(choosePrecision({ dtype, bf16, force_dtype: false }, { stored, ...place })).toEqual({ dtype: chosen, why });
  });
});

describe("bfloat16 asked for on a processor without its instructions", () => {
  const slow = { stored: "bfloat16", device: "cpu", cpu: null } as const;

  test.each([
    { dtype: "bfloat16", bf16: true },
    { dtype: "auto", bf16: true },
  ] as const)("is computed in float32, and said: %j", (keys) => {
    const { dtype, why } = choosePrecision({ ...keys, force_dtype: false }, slow);
    expect(dtype).toBe("float32");
    expect(why).toMatch(/neither AVX512-BF16 nor AMX.*--dtype bfloat16 takes it all the same/);
    expect(choosePrecision({ ...keys, force_dtype: true }, slow).dtype).toBe("bfloat16");
  });

  test("--dtype decides, a recipe's dtype asks", () => {
    const base = ["--model_name_or_path", "-", "--dataset_name", "-"];
    expect(loadGrpoRecipe(undefined, [...base, "--dtype", "bfloat16"]).recipe.force_dtype).toBe(true);
    expect(loadGrpoRecipe(undefined, [...base, "--bf16", "true"]).recipe.force_dtype).toBe(false);
    const values = { model_name_or_path: "-", dataset_name: "-", torch_dtype: "bfloat16" };
    expect(resolveGrpoRecipe(values).recipe.force_dtype).toBe(false);
  });

  test("a run with ATEN_CPU_CAPABILITY=avx2 trains in float32 and says it once", () => {
    const folder = temporaryFolder();
    tinyCheckpoint(folder);
    tinyDataset(folder);
    const child = fileURLToPath(new URL("../support/train-child.ts", import.meta.url));
    const keys = tinyRecipe(folder, path.join(folder, "out"), ["--bf16", "true", "--max_steps", "1"]);
    const { stderr } = spawnSync(process.execPath, ["--import", "tsx", child, "{}", ...keys], {
      encoding: "utf8",
      env: { ...process.env, ATEN_CPU_CAPABILITY: "avx2" },
    });
    expect(stderr.match(/precision: .*/g)).toEqual([expect.stringMatching(/^precision: float32 \(bf16: true, but/)]);
  });
});

// The rounding's noise follows from seed and step, so that a run that was stopped goes on to the same bits; SFT saves no generator.
describe("stopped and resumed with stochastic rounding and 8-bit moments, bit for bit", () => {
  const CHILD = fileURLToPath(new URL("../support/train-child.ts", import.meta.url));
  const MODE = ["--dtype", "bfloat16", "--master_weights", "false", "--optim", "adamw_8bit"];
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
    expect(log).toMatch(
      /precision: bfloat16 \(the recipe's dtype\), updated by stochastic rounding; 8-bit optimizer moments/,
    );
    expect(run({ ...kind, sigintAfterRow: 3 }, keys(stopped)).finished).toBe(false);
    expect(run(kind, keys(stopped)).finished).toBe(true);
    for (const file of ["model.safetensors", "checkpoint-6/optimizer.safetensors"]) {
      expect(bytes(stopped, file)).toBe(bytes(whole, file));
    }
    const { tensors } = loadSafetensors(path.join(whole, "model.safetensors"));
    expect(new Set([...tensors.values()].map((tensor) => tensor.dtype))).toEqual(new Set(["bfloat16"]));
  });
});
