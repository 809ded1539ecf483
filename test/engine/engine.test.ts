import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/index.js";
import type { Completion } from "../../src/engine/types.js";
import { type CausalLM, loadModel } from "../../src/model/index.js";
import type { Tokenizer } from "../../src/text/types.js";
import { liveTensors, manualSeed, noGrad, scope, tensor } from "../../src/torch/index.js";

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/models/${name}`, import.meta.url));

/** Ids as letters: all the engine needs of a tokenizer, so that stop strings can be read off. */
const letters = {
  eosTokenIds: [1],
  decode: (ids: readonly number[]) => ids.map((id) => String.fromCharCode(256 + id)).join(""),
} as unknown as Tokenizer;

const prompts = [[5, 6, 7], [9], [3, 4, 5, 6, 7, 8, 9, 10, 11], [20, 21, 22, 23, 24]];

/** The reference: the whole sequence in one pass, no cache. Log-probability of each completion token. */
function teacherForced(model: CausalLM, prompt: readonly number[], ids: readonly number[]): number[] {
  return noGrad(() =>
    scope(() => {
      const whole = [...prompt, ...ids];
      const logp = model
        .logits(model.forward(tensor(whole, [whole.length], "int64")))
        .to("float32")
        .logSoftmax(-1);
      const rows = logp.narrow(0, prompt.length - 1, ids.length);
      return rows.gather(1, tensor([...ids], [ids.length, 1], "int64")).toArray();
    }),
  );
}

function expectFaithful(model: CausalLM, all: readonly (readonly Completion[])[]) {
  all.forEach((completions, p) => {
    for (const { ids, logprobs } of completions) {
      const reference = teacherForced(model, prompts[p]!, ids);
      for (const [i, logp] of logprobs.entries()) {
        expect(Math.abs(logp - reference[i]!)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(reference[i]!)));
      }
    }
  });
}

describe.each(["qwen2-tied", "qwen3", "llama3-rope-old", "mistral-window", "smollm3", "gemma3"])("%s", (name) => {
  const model = loadModel(fixture(name), { dtype: "float32" });
  const engine = new Engine(model, letters);
  afterAll(() => model.dispose());

  test("cached decoding gives the log-probabilities of one whole pass", async () => {
    const all = await engine.generate(prompts, { n: 3, maxTokens: 20, seed: 1 });
    expect(all.map((group) => group.length)).toEqual([3, 3, 3, 3]);
    expectFaithful(model, all);
  });

  test.each([1, 2, 5])("%i rows for 12 sequences: others take the place of those that end", async (maxBatchSize) => {
    const small = new Engine(model, letters, { maxBatchSize, maxPrefillTokens: 6 });
    const all = await small.generate(prompts, { n: 3, maxTokens: 12, seed: 2 });
    expectFaithful(model, all);
    const ends = [1, ...model.config.eosTokenIds];
    for (const { ids, stopReason } of all.flat()) {
      expect(stopReason).toBe(ends.includes(ids.at(-1)!) ? "eos" : "length");
      expect(ids.slice(0, -1).some((id) => ends.includes(id))).toBe(false);
      if (stopReason === "length") expect(ids).toHaveLength(12);
    }
  });

  test("completions of several cache blocks, in fewer rows than there are sequences", async () => {
    const long = new Engine(model, letters, { maxBatchSize: 3 });
    const all = await long.generate(prompts, { n: 2, maxTokens: 90, minTokens: 40, seed: 7 });
    expectFaithful(model, all);
    for (const { ids } of all.flat()) expect(ids.length).toBeGreaterThanOrEqual(40);
  });

  test("greedy is the argmax of the whole pass, with any batch size", async () => {
    const wide = await engine.generate(prompts, { temperature: 0, maxTokens: 10 });
    const narrow = await new Engine(model, letters, { maxBatchSize: 1 }).generate(prompts, {
      temperature: 0,
      maxTokens: 10,
    });
    expect(wide.map(([c]) => c!.ids)).toEqual(narrow.map(([c]) => c!.ids));
    for (const [p, [completion]] of wide.entries()) {
      const whole = [...prompts[p]!, ...completion!.ids];
      const argmax = scope(() => {
        const logits = model.logits(model.forward(tensor(whole, [whole.length], "int64")));
        const rows = logits.narrow(0, prompts[p]!.length - 1, completion!.ids.length);
        const V = rows.size(1);
        const values = rows.toArray();
        return completion!.ids.map((_, i) => {
          const row = values.slice(i * V, (i + 1) * V);
          return row.indexOf(Math.max(...row));
        });
      });
      expect(completion!.ids).toEqual(argmax);
    }
  });
});

describe.each(["qwen2-tied", "mistral-window"])("%s in bfloat16", (name) => {
  const model = loadModel(fixture(name), { dtype: "bfloat16" });
  afterAll(() => model.dispose());

  const exact = loadModel(fixture(name), { dtype: "float32" });
  afterAll(() => exact.dispose());

  // Rows and columns are rounded up there, which no sequence may notice.
  test.each([2, 5, 32])("%i rows: no further from float32 than one whole pass in bfloat16", async (maxBatchSize) => {
    const engine = new Engine(model, letters, { maxBatchSize });
    const all = await engine.generate(prompts, { n: 3, maxTokens: 50, minTokens: 10, seed: 4 });
    const errors: { decoded: number; whole: number }[] = all.flatMap((group, p) =>
      group.flatMap(({ ids, logprobs }) => {
        const reference = teacherForced(exact, prompts[p]!, ids);
        const whole = teacherForced(model, prompts[p]!, ids);
        return ids.map((_, i) => ({
          decoded: Math.abs(logprobs[i]! - reference[i]!),
          whole: Math.abs(whole[i]! - reference[i]!),
        }));
      }),
    );
    const mean = (key: "decoded" | "whole") => errors.reduce((sum, e) => sum + e[key], 0) / errors.length;
    expect(mean("decoded")).toBeLessThan(1.2 * mean("whole"));
    expect(Math.max(...errors.map((e) => e.decoded))).toBeLessThan(1.5 * Math.max(...errors.map((e) => e.whole)));
  });
});

describe("qwen2-tied", () => {
  const model = loadModel(fixture("qwen2-tied"), { dtype: "float32" });
  const engine = new Engine(model, letters);

  test("the same seed gives the same, another seed another", async () => {
    const draw = (seed: number) => engine.generate(prompts, { n: 2, maxTokens: 10, seed });
    expect(await draw(3)).toEqual(await draw(3));
    expect(await draw(3)).not.toEqual(await draw(4));
  });

  test("without a seed it goes on from the generator's state", async () => {
    manualSeed(11);
    const first = await engine.generate(prompts, { maxTokens: 8 });
    const second = await engine.generate(prompts, { maxTokens: 8 });
    expect(second).not.toEqual(first);
    manualSeed(11);
    expect(await engine.generate(prompts, { maxTokens: 8 })).toEqual(first);
  });

  test("a stop string ends a completion and is cut from its text", async () => {
    const [[free]] = (await engine.generate([prompts[0]!], { temperature: 0, maxTokens: 12, ignoreEos: true })) as [
      [Completion],
    ];
    const stop = letters.decode(free.ids.slice(3, 5));
    const [[cut]] = (await engine.generate([prompts[0]!], {
      temperature: 0,
      maxTokens: 12,
      ignoreEos: true,
      stop: [stop],
    })) as [[Completion]];
    expect(cut.stopReason).toBe("stop");
    const end = letters.decode(free.ids).indexOf(stop);
    expect(cut.text).toBe(letters.decode(free.ids).slice(0, end));
    expect(cut.ids).toEqual(free.ids.slice(0, end + 2));
  });

  test.each([0, 3, 12])("no end token before %i tokens", async (minTokens) => {
    const ends = [1, ...model.config.eosTokenIds];
    const all = (await engine.generate(prompts, { n: 40, maxTokens: 12, minTokens, seed: 9 })).flat();
    const lengths = all.filter(({ stopReason }) => stopReason === "eos").map(({ ids }) => ids.length);
    if (minTokens < 12) expect(Math.min(...lengths)).toBe(minTokens + 1);
    else expect(lengths).toEqual([]);
    for (const { ids } of all) expect(ids.slice(0, minTokens).some((id) => ends.includes(id))).toBe(false);
  });

  test("the repetition penalty is applied to prompt and completion", async () => {
    const penalized = await engine.generate(prompts, {
      n: 2,
      temperature: 0,
      maxTokens: 12,
      repetitionPenalty: 50,
      ignoreEos: true,
    });
    for (const [p, group] of penalized.entries()) {
      for (const { ids } of group) {
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids.some((id) => prompts[p]!.includes(id))).toBe(false);
      }
    }
  });

  test("sampling log-probabilities differ from the model's by temperature only", async () => {
    const [[c]] = (await engine.generate([prompts[2]!], { temperature: 0.5, maxTokens: 6, seed: 5 })) as [[Completion]];
    expect(c.samplingLogprobs).not.toEqual(c.logprobs);
    const plain = (await engine.generate([prompts[2]!], { temperature: 1, maxTokens: 6, seed: 5 }))[0]![0]!;
    for (const [i, logp] of plain.logprobs.entries()) expect(logp).toBeCloseTo(plain.samplingLogprobs[i]!, 6);
  });

  test("tokens are reported as they are drawn, and stopping keeps what is there", async () => {
    const streamed: number[] = [];
    let steps = 0;
    const [[c]] = (await engine.generate([prompts[0]!], {
      maxTokens: 50,
      ignoreEos: true,
      seed: 6,
      onToken: (_prompt, _completion, id) => streamed.push(id),
      shouldStop: () => ++steps >= 4,
    })) as [[Completion]];
    expect(c.ids).toEqual(streamed);
    expect(c.ids).toHaveLength(4);
    expect(c.text).toBe(letters.decode(c.ids));
  });

  test("leaves no tensors behind", async () => {
    await engine.generate(prompts, { n: 2, maxTokens: 6, seed: 1 });
    const before = liveTensors();
    await new Engine(model, letters, { maxBatchSize: 3 }).generate(prompts, {
      n: 4,
      maxTokens: 6,
      seed: 1,
      repetitionPenalty: 1.1,
    });
    expect(liveTensors()).toBe(before);
  });

  test.each<[number[][], object, RegExp]>([
    [[[]], {}, /prompt 0 is empty/],
    [[[5], [1, 9999]], {}, /prompt 1 has token id 9999.*own tokenizer/],
    [[Array(600).fill(3)], {}, /has 600 tokens, the model's context is/],
    [[[5]], { topP: 0 }, /top_p is 0/],
    [[[5]], { minTokens: 9, maxTokens: 8 }, /min_tokens is 9, it must be.*at most max_tokens 8/],
    [[[5]], { temperature: -1 }, /temperature is -1/],
  ])("refuses prompts and settings %#", async (ids, options, message) => {
    await expect(engine.generate(ids, options)).rejects.toThrow(message);
  });
});
