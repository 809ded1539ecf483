/**
 * LoRA against PEFT (test/golden/make_lora.py): the adapters it saved compute its log-probabilities and gradients here, live and merged,
 * and switched off the base is the base. (scripts/check-peft.py lets PEFT load what we save.)
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { addLora, type CausalLM, LORA_MODULES, loadModel, loraModules } from "../../../src/model/index.js";
import { mergeLora } from "../../../src/model/lora/load.js";
import { backwardTokens, padBatch } from "../../../src/passes/index.js";
import {
  getRngState,
  liveTensors,
  manualSeed,
  noGrad,
  ops,
  scope,
  type Tensor,
  tensor,
} from "../../../src/torch/index.js";
import { loadSafetensors } from "../../../src/torch/safetensors.js";
import { fixtureDir, golden, idsOf, logprobsOf, maxDifference, naiveLogprobs } from "../fixtures.js";

interface PeftGolden {
  sequences: number[][];
  logprobs: number[][];
  base: number[][];
  merged: number[][];
  logprobs_bf16?: number[][];
}

const ROOT = fileURLToPath(new URL("../../fixtures/lora/", import.meta.url));
const peft = (name: string): PeftGolden => JSON.parse(readFileSync(`${ROOT}${name}/golden.json`, "utf8"));
const scores = (model: CausalLM, sequences: number[][]) => sequences.flatMap((ids) => logprobsOf(model, ids));

describe.each(readdirSync(ROOT))("PEFT's %s", (name) => {
  const expected = peft(name);
  const exact = { dtype: "float32" } as const;

  it("has PEFT's log-probabilities, live", () => {
    const ours = scores(loadModel(ROOT + name, exact), expected.sequences);
    expect(maxDifference(ours, expected.logprobs.flat())).toBeLessThan(1e-4);
  });

  it("and merged, where they are those of the live one to 1e-5", () => {
    const live = loadModel(ROOT + name, exact);
    const merged = loadModel(ROOT + name, { ...exact, merge: true });
    expect(merged.lora).toBeUndefined();
    const ours = scores(merged, expected.sequences);
    expect(maxDifference(ours, expected.merged.flat())).toBeLessThan(1e-4);
    expect(relativeDifference(ours, scores(live, expected.sequences))).toBeLessThan(1e-5);
  });

  it("leaves its base as it was", () => {
    const model = loadModel(ROOT + name, exact);
    const base = addedTo(model);
    const alone = loadModel(fixtureDir(baseNameOf(name)), exact);
    expect(scores(base, expected.sequences)).toEqual(scores(alone, expected.sequences));
    expect(maxDifference(scores(base, expected.sequences), expected.base.flat())).toBeLessThan(1e-4);
  });

  it("has PEFT's gradients, and none of the base's weights", () => {
    const model = loadModel(ROOT + name, exact).requireGrad(true);
    scope(() => naiveLogprobs(model, idsOf(expected.sequences[0]!).unsqueeze(0)).mean().neg().backward());
    expectGradients(model, name, 1e-5);
  });

  it("the same from the chunked head's backward pass", () => {
    const model = loadModel(ROOT + name, exact).requireGrad(true);
    const batch = padBatch([{ ids: expected.sequences[0]!, from: 1 }]);
    backwardTokens(model, batch, (logps) => ops.fullLike(logps, -1 / batch.targets_N.numel), { chunk: 7 });
    expectGradients(model, name, 1e-5);
  });
});

it("a bfloat16 base with float32 adapters is as near to float32 as PEFT's", () => {
  const { sequences, logprobs, logprobs_bf16 } = peft("qwen2-bf16");
  const model = loadModel(`${ROOT}qwen2-bf16`);
  expect(model.dtype).toBe("bfloat16");
  for (const adapter of model.parameters().values()) expect(adapter.dtype).toBe("float32");
  // Of the mean: the largest of so few differences is chance.
  const meanDifference = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, x, i) => sum + Math.abs(x - b[i]!), 0) / a.length;
  const theirs = meanDifference(logprobs_bf16!.flat(), logprobs.flat());
  const ours = meanDifference(scores(model, sequences), logprobs.flat());
  expect(ours).toBeLessThan(1.25 * theirs);
});

const SETTINGS = { base: "x", rank: 4, alpha: 8, rslora: false, dropout: 0, modules: LORA_MODULES, seed: 7 };

describe("new adapters", () => {
  const fresh = (changes: object = {}) => {
    const base = loadModel(fixtureDir("qwen3"), { copy: true });
    return { base, model: addLora(base, { ...SETTINGS, ...changes }) };
  };
  const [ids] = golden("qwen3").sequences as [number[]];

  it("compute at first what the base does", () => {
    const { base, model } = fresh();
    expect(logprobsOf(model, ids)).toEqual(logprobsOf(base, ids));
  });

  it("follow their seed and leave the random state alone", () => {
    manualSeed(1);
    const before = getRngState();
    const a = [fresh(), fresh(), fresh({ seed: 8 })].map(({ model }) => first(model).toArray());
    expect(getRngState()).toEqual(before);
    expect(a[0]).toEqual(a[1]);
    expect(a[0]).not.toEqual(a[2]);
    const bound = 1 / Math.sqrt(32);
    expect(Math.max(...a[0]!)).toBeLessThanOrEqual(bound);
    expect(Math.max(...a[0]!)).toBeGreaterThan(0.9 * bound);
    expect(a[0]!.reduce((sum, x) => sum + x * x, 0) / a[0]!.length).toBeCloseTo(bound ** 2 / 3, 3);
  });

  it("are all that is trained; the base stays what it was when they move", () => {
    const { base, model } = fresh({ modules: ["v_proj", "up_proj"] });
    model.requireGrad(true);
    expect([...model.parameters().keys()].filter((name) => name.includes(".0."))).toEqual([
      "model.layers.0.self_attn.qkv_proj.lora_A.weight",
      "model.layers.0.self_attn.qkv_proj.lora_B.weight",
      "model.layers.0.mlp.gate_up_proj.lora_A.weight",
      "model.layers.0.mlp.gate_up_proj.lora_B.weight",
    ]);
    const before = logprobsOf(base, ids);
    noGrad(() => {
      for (const adapter of model.parameters().values()) ops.uniform_(adapter, { from: -1, to: 1 });
    });
    expect(maxDifference(logprobsOf(model, ids), before)).toBeGreaterThan(0.1);
    expect(logprobsOf(base, ids)).toEqual(before);
    expect([...model.weights.values()].some((weight) => weight.requiresGrad)).toBe(false);
  });

  it("rows of a stacked weight that have none get no gradient", () => {
    const { model } = fresh({ modules: ["k_proj"] });
    model.requireGrad(true);
    scope(() => naiveLogprobs(model, idsOf(ids).unsqueeze(0)).mean().backward());
    const grad = model.parameters().get("model.layers.0.self_attn.qkv_proj.lora_B.weight")!.grad!;
    const [q, k, v] = ops.splitSizes(grad, [64, 32, 32], { dim: 0 }).map((part) => part.toArray());
    expect([...q!, ...v!].every((g) => g === 0)).toBe(true);
    expect(k!.some((g) => g !== 0)).toBe(true);
  });

  it("are taken as they are at the beginning of a hold, with the same bits", () => {
    const { model } = fresh({ modules: ["q_proj", "v_proj", "down_proj"] });
    const move = () => {
      for (const adapter of model.parameters().values()) noGrad(() => ops.uniform_(adapter, { from: -0.3, to: 0.3 }));
    };
    for (let round = 0; round < 2; round++) {
      move();
      const free = logprobsOf(model, ids);
      const release = model.lora!.hold();
      expect(logprobsOf(model, ids)).toEqual(free);
      move();
      expect(logprobsOf(model, ids)).toEqual(free);
      release();
      expect(logprobsOf(model, ids)).not.toEqual(free);
    }
  });

  it("leave no tensor behind", () => {
    const tokens = idsOf(ids);
    const run = () => {
      const { base, model } = fresh({ dropout: 0.1 });
      noGrad(() => model.lora!.withDropout([1], "cpu", () => model.forward(tokens))).dispose();
      model.lora!.hold()();
      mergeLora(model).dispose();
      base.dispose();
    };
    run();
    const before = liveTensors();
    for (let i = 0; i < 5; i++) run();
    expect(liveTensors()).toBeLessThanOrEqual(before);
  });
});

describe("which maps are adapted", () => {
  const [qwen, phi] = ["qwen3", "phi3-window"].map((name) => loadModel(fixtureDir(name)));

  it.each([
    [qwen!, null, ["q_proj", "v_proj"]],
    [phi!, null, ["qkv_proj"]],
    [phi!, "all-linear", ["o_proj", "down_proj", "qkv_proj", "gate_up_proj"]],
    [phi!, ["o_proj"], ["o_proj"]],
  ] as const)("of a model, %#", (model, chosen, expected) => {
    expect(loraModules(chosen, model)).toEqual(expected);
  });

  it("refuses one that the layers do not have", () => {
    expect(() => loraModules(["o_proj", "q_proj"], phi!)).toThrow(
      /q_proj: layers of a phi3 model have no such map; they have o_proj, down_proj, qkv_proj, gate_up_proj/,
    );
    expect(() => loraModules(["qkv_proj"], qwen!)).toThrow(/they have q_proj, k_proj/);
    expect(() => addLora(phi!, { ...SETTINGS, modules: ["q_proj", "v_proj"] })).toThrow(
      /adapters on q_proj, v_proj: layers of a phi3 model have no such maps/,
    );
  });
});

describe("dropout", () => {
  const base = loadModel(fixtureDir("qwen3"), { copy: true });
  const model = addLora(base, { ...SETTINGS, dropout: 0.3 });
  noGrad(() => {
    for (const adapter of model.parameters().values()) ops.uniform_(adapter, { from: -0.3, to: 0.3 });
  });
  const [ids] = golden("qwen3").sequences as [number[]];
  const run = () => logprobsOf(model, ids);
  const training = (...seed: number[]) => model.lora!.withDropout(seed, "cpu", () => [run(), run()]);

  it("is off outside of training", () => {
    expect(run()).toEqual(run());
  });

  it("follows seed and forward pass, and leaves the random state alone", () => {
    const before = getRngState();
    const [first, second] = training(1, 2);
    expect(getRngState()).toEqual(before);
    expect(first).not.toEqual(second);
    expect(first).not.toEqual(run());
    expect(training(1, 2)).toEqual([first, second]);
    expect(training(1, 3)).not.toEqual([first, second]);
  });

  it("has the same masks where layers are computed again for their gradients", () => {
    const gradients = (checkpointing: boolean) => {
      model.requireGrad(true);
      const batch = padBatch([{ ids, from: 1 }]);
      const gradient = (logps: Tensor) => ops.fullLike(logps, 1);
      const twice = () => [1, 2].map(() => backwardTokens(model, batch, gradient, { checkpointing }).logps_N.toArray());
      const logps = model.withDropout([3], twice);
      const grads = [...model.parameters().values()].flatMap((parameter) => parameter.grad!.toArray());
      for (const parameter of model.parameters().values()) parameter.grad = null;
      return { logps, grads };
    };
    const [plain, again] = [gradients(false), gradients(true)];
    expect(plain.logps[0]).not.toEqual(plain.logps[1]);
    expect(again.logps).toEqual(plain.logps);
    expect(relativeDifference(again.grads, plain.grads)).toBeLessThan(1e-5);
  });

  it("drops inputs of the adapters only, by their share, and scales up the others", () => {
    const slot = "model.layers.0.self_attn.o_proj.weight";
    const identity = addLora(base, { ...SETTINGS, modules: ["o_proj"], rank: 64, alpha: 64, dropout: 0.3 });
    const [a, b] = [...identity.parameters().values()] as [Tensor, Tensor];
    const sums = noGrad(() => {
      ops.copy_(
        a,
        tensor(
          Array.from({ length: 64 * 64 }, (_, i) => (i % 65 === 0 ? 1 : 0)),
          [64, 64],
        ),
      );
      ops.fill_(b, 1);
      const zero = ops.zeros([32, 64]);
      const out = identity.lora!.withDropout([5], "cpu", () =>
        identity.lora!.linear(slot, ops.ones([500, 64]), zero, null),
      );
      return out.select(1, 0).toArray();
    });
    // Each sum is of 64 inputs, 0 or 1 / 0.7.
    for (const sum of sums) expect(Math.abs(sum * 0.7 - Math.round(sum * 0.7))).toBeLessThan(1e-3);
    expect(sums.reduce((x, y) => x + y, 0) / sums.length / 64).toBeCloseTo(1, 1.5);
    expect(new Set(sums).size).toBeGreaterThan(5);
  });
});

const first = (model: CausalLM): Tensor => [...model.parameters().values()][0]!;

const baseNameOf = (name: string): string =>
  JSON.parse(readFileSync(`${ROOT}${name}/adapter_config.json`, "utf8"))
    .base_model_name_or_path.split("/")
    .at(-1);

/** The model below the adapters. */
function addedTo(model: CausalLM): CausalLM {
  return new (model.constructor as typeof CausalLM)(model.config, model.weights);
}

/** Of each module's A and B, to the largest entry of theirs. */
function expectGradients(model: CausalLM, name: string, tolerance: number): void {
  for (const weight of model.weights.values()) expect(weight.grad).toBeNull();
  const theirs = loadSafetensors(`${ROOT}${name}/grads.safetensors`).tensors;
  const grads = new Map([...model.parameters()].map(([key, parameter]) => [key, parameter.grad!]));
  const ours = gradientsByModule(model, grads);
  expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort());
  for (const [key, expected] of theirs) {
    const numbers = expected.toArray();
    const largest = Math.max(...numbers.map(Math.abs));
    expect(maxDifference(ours.get(key)!, numbers) / largest, key).toBeLessThan(tolerance);
  }
}

/** The stacked gradients cut into those of PEFT's weights: A in the order of its modules, B at their rows. */
function gradientsByModule(model: CausalLM, grads: ReadonlyMap<string, Tensor>): Map<string, number[]> {
  const out = new Map<string, number[]>();
  const adapted = new Set(model.lora!.modules().keys());
  const { rank } = model.lora!.config;
  for (const { name, pieces } of model.slots) {
    const stem = name.replace(/\.weight$/, "");
    const [a, b] = ["A", "B"].map((letter) => grads.get(`${stem}.lora_${letter}.weight`));
    let [row, nth] = [0, 0];
    for (const piece of pieces) {
      const module = piece.name.replace(/\.weight$/, "");
      if (a && b && adapted.has(module)) {
        out.set(`base_model.model.${module}.lora_A.weight`, a.narrow(0, rank * nth++, rank).toArray());
        out.set(`base_model.model.${module}.lora_B.weight`, b.narrow(0, row, piece.rows).toArray());
      }
      row += piece.rows;
    }
  }
  return out;
}

const relativeDifference = (a: number[], b: number[]): number =>
  a.reduce((worst, x, i) => Math.max(worst, Math.abs(x - b[i]!) / Math.max(1, Math.abs(b[i]!))), 0);
