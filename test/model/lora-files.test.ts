/** Adapter folders: what we write is what PEFT wrote, what we read is refused where PEFT would compute something else. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { resolveModelFolder } from "../../src/model/hub.js";
import { loadConfig, loadModel, saveModel } from "../../src/model/index.js";
import { noGrad } from "../../src/torch/index.js";
import { loadSafetensors, saveSafetensors } from "../../src/torch/safetensors.js";
import { fixtureDir, logprobsOf } from "./fixtures.js";

const TMP = fs.mkdtempSync(path.join(os.tmpdir(), "open-rs-lora-"));
afterAll(() => fs.rmSync(TMP, { recursive: true }));
const ROOT = fileURLToPath(new URL("../fixtures/lora/", import.meta.url));
const ADAPTERS = fs.readdirSync(ROOT);
const QWEN3 = "qwen3-default-rslora";
const IDS = [7, 8, 30, 4, 4, 90];

const readJson = (...parts: string[]) => JSON.parse(fs.readFileSync(path.join(...parts), "utf8"));
const moduleOf = (name: string) => name.split(".").slice(2, -2).join(".");

describe.each(ADAPTERS)("PEFT's %s, loaded and saved", (name) => {
  const dir = path.join(TMP, name);
  it("has the same tensors, byte for byte, and settings", () => {
    const files = saveModel(loadModel(ROOT + name), dir);
    expect(files.map((file) => path.basename(file))).toEqual(["adapter_model.safetensors", "adapter_config.json"]);
    const [before, after] = [ROOT + name, dir].map(
      (folder) => loadSafetensors(path.join(folder, "adapter_model.safetensors")).tensors,
    ) as [ReturnType<typeof loadSafetensors>["tensors"], ReturnType<typeof loadSafetensors>["tensors"]];
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    for (const [key, tensor] of before) {
      expect(after.get(key)!.shape, key).toEqual(tensor.shape);
      expect(after.get(key)!.toTypedArray(), key).toEqual(tensor.toTypedArray());
    }
    const settings = ["r", "lora_alpha", "lora_dropout", "use_rslora", "peft_type", "task_type", "bias"];
    const [theirs, ours] = [readJson(ROOT + name, "adapter_config.json"), readJson(dir, "adapter_config.json")];
    for (const key of settings) expect(ours[key], key).toEqual(theirs[key]);
  });

  it("names targets that match the adapted modules and no others", () => {
    // PEFT's rule for a list: a module is adapted if its name is one of them or ends with "." and one of them.
    const { target_modules } = readJson(dir, "adapter_config.json") as { target_modules: string[] };
    const matched = loadModel(ROOT + name)
      .slots.flatMap(({ pieces }) => pieces.map((piece) => piece.name.replace(/\.weight$/, "")))
      .filter((module) => target_modules.some((target) => module === target || module.endsWith(`.${target}`)));
    const { tensors } = loadSafetensors(path.join(dir, "adapter_model.safetensors"));
    expect(matched.sort()).toEqual([...new Set([...tensors.keys()].map(moduleOf))].sort());
  });
});

it("the base is found beside the adapter, its configuration as the adapter's own", async () => {
  const dir = path.join(TMP, "absolute");
  saveModel(loadModel(ROOT + QWEN3), dir);
  const config = readJson(dir, "adapter_config.json");
  fs.writeFileSync(
    path.join(dir, "adapter_config.json"),
    JSON.stringify({ ...config, base_model_name_or_path: fixtureDir("qwen3") }),
  );
  expect(logprobsOf(loadModel(dir), IDS)).toEqual(logprobsOf(loadModel(ROOT + QWEN3), IDS));
  expect(loadConfig(dir)).toEqual(loadConfig(fixtureDir("qwen3")));
  expect(await resolveModelFolder(dir)).toBe(dir);
});

it("the base is found in Hugging Face's cache", async () => {
  const cache = path.join(TMP, "hub");
  const repo = path.join(cache, "models--acme--tiny");
  fs.cpSync(fixtureDir("qwen3"), path.join(repo, "snapshots/abc123"), { recursive: true });
  fs.mkdirSync(path.join(repo, "refs"));
  fs.writeFileSync(path.join(repo, "refs/main"), "abc123");
  const dir = variant("cached", { base_model_name_or_path: "acme/tiny" });
  const before = process.env.HF_HUB_CACHE;
  process.env.HF_HUB_CACHE = cache;
  try {
    expect(await resolveModelFolder(dir)).toBe(dir);
    expect(logprobsOf(loadModel(dir), IDS)).toEqual(logprobsOf(loadModel(ROOT + QWEN3), IDS));
  } finally {
    if (before === undefined) delete process.env.HF_HUB_CACHE;
    else process.env.HF_HUB_CACHE = before;
  }
});

it("a whole model saved where an adapter was is not taken for it", () => {
  const dir = path.join(TMP, "replaced");
  const model = loadModel(ROOT + QWEN3);
  saveModel(model, dir);
  saveModel(model, dir, { merge: true });
  expect(fs.readdirSync(dir).sort()).toEqual(["config.json", "model.safetensors"]);
  expect(loadModel(dir).lora).toBeUndefined();
});

function variant(name: string, changes: object, weights?: (tensors: Map<string, unknown>) => void): string {
  const dir = path.join(TMP, name.replaceAll(/\W/g, "-"));
  fs.cpSync(ROOT + QWEN3, dir, { recursive: true });
  const file = path.join(dir, "adapter_config.json");
  const base = { base_model_name_or_path: fixtureDir("qwen3") };
  fs.writeFileSync(file, JSON.stringify({ ...readJson(file), ...base, ...changes }));
  if (weights) {
    const target = path.join(dir, "adapter_model.safetensors");
    const { tensors } = loadSafetensors(target);
    weights(tensors);
    noGrad(() => saveSafetensors(target, tensors));
  }
  return dir;
}

describe("refused", () => {
  it.each<[string, object, RegExp]>([
    ["DoRA", { use_dora: true }, /adapter_config\.json: use_dora true is not supported: merge the adapter with PEFT/],
    ["saved modules", { modules_to_save: ["lm_head"] }, /modules_to_save \["lm_head"\] is not supported/],
    ["ranks by pattern", { rank_pattern: { q_proj: 2 } }, /rank_pattern \{"q_proj":2\} is not supported/],
    ["alphas by pattern", { alpha_pattern: { q_proj: 2 } }, /alpha_pattern/],
    ["biases", { bias: "all" }, /bias "all" is not supported; supported: "none"/],
    ["LoRA biases", { lora_bias: true }, /lora_bias true/],
    ["parameters as targets", { target_parameters: ["mlp.x"] }, /target_parameters/],
    ["trained tokens", { trainable_token_indices: [3] }, /trainable_token_indices/],
    ["PiSSA", { init_lora_weights: "pissa" }, /init_lora_weights "pissa" is not supported/],
    ["another method", { peft_type: "IA3" }, /peft_type "IA3" is not supported; supported: "LORA"/],
    ["a setting of a later PEFT", { use_something_new: 3 }, /use_something_new 3 is not supported/],
    ["no base", { base_model_name_or_path: null }, /base_model_name_or_path is not set/],
    ["a base that is not here", { base_model_name_or_path: "no/where" }, /the base model no\/where is not here/],
    ["another rank", { r: 5 }, /lora_A has shape \[3, 32\], but .* ask for \[5, 32\]/],
  ])("%s", (name, changes, message) => {
    expect(() => loadModel(variant(name, changes))).toThrow(message);
  });

  const Q = "base_model.model.model.layers.0.self_attn.q_proj.lora";
  it.each<[string, (tensors: Map<string, unknown>) => void, RegExp]>([
    ["an A without B", (t) => t.delete(`${Q}_B.weight`), /holds .*q_proj\.lora_A\.weight but not .*lora_B\.weight/],
    [
      "an embedding's adapter",
      rename(`${Q}_A.weight`, "base_model.model.model.embed_tokens.lora_embedding_A"),
      /lora_embedding_A, which is not part of/,
    ],
    [
      "a layer too many",
      (t) =>
        rename(
          `${Q}_B.weight`,
          "base_model.model.model.layers.9.self_attn.q_proj.lora_B.weight",
        )(rename(`${Q}_A.weight`, "base_model.model.model.layers.9.self_attn.q_proj.lora_A.weight")(t)),
      /layers\.9\.self_attn\.q_proj has an adapter, but is no linear map/,
    ],
    [
      "another shape",
      rename(`${Q}_B.weight`, `${Q}_B.weight`, "base_model.model.model.layers.0.self_attn.v_proj.lora_B.weight"),
      /q_proj\.lora_B has shape \[32, 3\], but .* \[64, 3\]/,
    ],
  ])("%s", (name, weights, message) => {
    expect(() => loadModel(variant(name, {}, weights))).toThrow(message);
  });
});

/** Takes the tensor `from` away and puts that (or the one called `other`) under the name `to`. */
function rename(from: string, to: string, other = from) {
  return (tensors: Map<string, unknown>): Map<string, unknown> => {
    const tensor = tensors.get(other);
    tensors.delete(from);
    return tensors.set(to, tensor);
  };
}
