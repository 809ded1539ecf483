/**
 * What we save is a Hugging Face folder: same names, shapes and bytes as the one it came from, and companions travel along.
 * (scripts/check-transformers.py loads it in transformers itself.)
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { huggingFaceWeights, loadModel, parseConfig, randomModel, saveModel } from "../../src/model/index.js";
import { liveTensors, manualSeed, noGrad, ops, scope } from "../../src/torch/index.js";
import { loadSafetensors, saveSafetensors } from "../../src/torch/safetensors.js";
import { fixtureDir, fixtureNames, golden, logprobsOf, maxDifference } from "./fixtures.js";

const TMP = fs.mkdtempSync(path.join(os.tmpdir(), "open-rs-model-"));
afterAll(() => fs.rmSync(TMP, { recursive: true }));

describe.each(fixtureNames)("%s", (name) => {
  it("saves the tensors it loaded, byte for byte", () => {
    const dir = path.join(TMP, name);
    saveModel(loadModel(fixtureDir(name)), dir, { companionsFrom: fixtureDir(name) });
    const before = loadSafetensors(fixtureDir(name)).tensors;
    const after = loadSafetensors(dir).tensors;
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    for (const [weight, tensor] of before) {
      expect(after.get(weight)!.shape, weight).toEqual(tensor.shape);
      expect(after.get(weight)!.toTypedArray(), weight).toEqual(tensor.toTypedArray());
    }
    for (const file of ["config.json", "generation_config.json"]) {
      const read = (folder: string) => JSON.parse(fs.readFileSync(path.join(folder, file), "utf8"));
      expect(read(dir)).toEqual(read(fixtureDir(name)));
    }
  });
});

it("changes dtype on request and says so in config.json, in its spelling", () => {
  for (const [name, key] of [
    ["qwen2-tied", "torch_dtype"],
    ["qwen3", "dtype"],
  ] as const) {
    const dir = path.join(TMP, `${name}-bf16`);
    saveModel(loadModel(fixtureDir(name)), dir, { dtype: "bfloat16" });
    expect(JSON.parse(fs.readFileSync(path.join(dir, "config.json"), "utf8"))[key]).toBe("bfloat16");
    expect(loadModel(dir).dtype).toBe("bfloat16");
    const exact = golden(name).logprobs[1]!;
    expect(
      maxDifference(logprobsOf(loadModel(dir, { dtype: "float32" }), golden(name).sequences[1]!), exact),
    ).toBeLessThan(0.2);
  }
});

it("saves in shards", () => {
  const dir = path.join(TMP, "sharded");
  const files = saveModel(loadModel(fixtureDir("qwen3")), dir, { maxShardBytes: 40_000 });
  expect(files.filter((f) => f.endsWith(".safetensors")).length).toBeGreaterThan(1);
  const { sequences, logprobs } = golden("qwen3");
  expect(maxDifference(logprobsOf(loadModel(dir), sequences[0]!), logprobs[0]!)).toBeLessThan(1e-4);
});

it("copies tokenizer files, and nothing else", () => {
  const from = path.join(TMP, "with-tokenizer");
  saveModel(loadModel(fixtureDir("qwen3")), from);
  fs.writeFileSync(path.join(from, "tokenizer.json"), "{}");
  fs.writeFileSync(path.join(from, "chat_template.jinja"), "x");
  fs.writeFileSync(path.join(from, "optimizer.bin"), "x");
  const to = path.join(TMP, "copied");
  saveModel(loadModel(from), to, { companionsFrom: from });
  expect(fs.readdirSync(to).sort()).toEqual([
    "chat_template.jinja",
    "config.json",
    "model.safetensors",
    "tokenizer.json",
  ]);
});

describe("weights that do not fit config.json are refused", () => {
  const variant = (name: string, change: (dir: string) => void): string => {
    const dir = path.join(TMP, name);
    fs.cpSync(fixtureDir("qwen3"), dir, { recursive: true });
    change(dir);
    return dir;
  };
  const reconfigure = (dir: string, change: object) => {
    const file = path.join(dir, "config.json");
    fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file, "utf8")), ...change }));
  };

  it.each([
    ["too few layers", { num_hidden_layers: 3, layer_types: null }, /lack model\.layers\.2\.input_layernorm\.weight/],
    ["too many layers", { num_hidden_layers: 1, layer_types: null }, /hold model\.layers\.1\..* \(11 such\)/],
    [
      "another width",
      { intermediate_size: 48 },
      /gate_proj\.weight has shape \[64, 32\], but config.json asks for \[48, 32\]/,
    ],
    ["an untied head", { tie_word_embeddings: false }, /lack lm_head\.weight/],
  ])("%s", (what, change, message) => {
    expect(() => loadModel(variant(what, (dir) => reconfigure(dir, change)))).toThrow(message);
  });

  it("a tied model's superfluous lm_head is fine", () => {
    const dir = variant("tied with head", (folder) => {
      const { tensors } = loadSafetensors(folder);
      tensors.set("lm_head.weight", tensors.get("model.embed_tokens.weight")!);
      saveSafetensors(folder, tensors);
    });
    expect(logprobsOf(loadModel(dir), [1, 2, 3])).toEqual(logprobsOf(loadModel(fixtureDir("qwen3")), [1, 2, 3]));
  });
});

it("a random model follows its seed and has the layout of its config", () => {
  const config = parseConfig(JSON.parse(fs.readFileSync(`${fixtureDir("qwen2-tied")}/config.json`, "utf8")));
  const make = () => {
    manualSeed(3);
    return huggingFaceWeights(randomModel(config, { std: 0.1 }));
  };
  const [a, b] = [make(), make()];
  expect([...a.keys()].sort()).toEqual([...loadSafetensors(fixtureDir("qwen2-tied")).tensors.keys()].sort());
  for (const [name, tensor] of a) expect(b.get(name)!.toArray()).toEqual(tensor.toArray());
  const embedding = a.get("model.embed_tokens.weight")!.toArray();
  expect(Math.sqrt(embedding.reduce((s, x) => s + x * x, 0) / embedding.length)).toBeCloseTo(0.1, 2);
});

it("loading, running and disposing leaves no tensor behind", () => {
  const ids = scope(() => ops.randint(0, 90, [2, 9], { dtype: "int64" }));
  const run = () => {
    const model = loadModel(fixtureDir("qwen3"));
    noGrad(() => model.forward(ids)).dispose();
    model.dispose();
  };
  run();
  const before = liveTensors();
  for (let i = 0; i < 5; i++) run();
  // At most: garbage collection may meanwhile free what earlier tests left.
  expect(liveTensors()).toBeLessThanOrEqual(before);
});
