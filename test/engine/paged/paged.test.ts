import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { Engine } from "../../../src/engine/index.js";
import { bucketOf } from "../../../src/engine/paged/graph-buffers.js";
import { type PagedOptions, PagedRunner } from "../../../src/engine/paged/runner.js";
import { Scheduler } from "../../../src/engine/scheduler.js";
import { type Group, Sequence } from "../../../src/engine/sequence.js";
import { type Completion, DEFAULT_SAMPLING, type SamplingParams } from "../../../src/engine/types.js";
import { type CausalLM, loadModel } from "../../../src/model/index.js";
import type { Tokenizer } from "../../../src/text/types.js";
import { liveTensors, manualSeed, noGrad, scope, tensor } from "../../../src/torch/index.js";

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/models/${name}`, import.meta.url));

/** Ids as letters: all the engine needs of a tokenizer, so that stop strings can be read off. */
const letters = {
  eosTokenIds: [1],
  decode: (ids: readonly number[]) => ids.map((id) => String.fromCharCode(256 + id)).join(""),
} as unknown as Tokenizer;

const prompts = [[5, 6, 7], [9], [3, 4, 5, 6, 7, 8, 9, 10, 11], [20, 21, 22, 23]];

type Settings = Partial<SamplingParams> & Partial<PagedOptions> & { n?: number; maxPrefillTokens?: number };

/** What Engine.generate does, with a PagedRunner. */
function generate(model: CausalLM, { n = 1, maxPrefillTokens = 8192, ...given }: Settings): Completion[][] {
  const params = { ...DEFAULT_SAMPLING, ...given };
  if (params.seed !== undefined) manualSeed(params.seed);
  const groups = prompts.map((promptIds, prompt) => {
    const group: Group = { prompt, promptIds, sequences: [] };
    for (let index = 0; index < n; index++) group.sequences.push(new Sequence(group, index));
    return group;
  });
  const maxRows = given.maxRows ?? 256;
  const run = new PagedRunner(model, letters, params, new Scheduler(groups, maxRows), undefined, {
    longestPrompt: 9,
    ...given,
    maxRows,
  });
  while (!run.scheduler.done) noGrad(() => scope(() => run.step(maxPrefillTokens)));
  run.dispose();
  return groups.map((group) => group.sequences.map((sequence) => sequence.finished()));
}

/** The whole sequence in one pass, no cache. */
function teacherForced(model: CausalLM, prompt: readonly number[], ids: readonly number[]): number[] {
  return noGrad(() =>
    scope(() => {
      const whole = [...prompt, ...ids];
      const logits = model.logits(model.forward(tensor(whole, [whole.length], "int64"))).to("float32");
      const rows = logits.logSoftmax(-1).narrow(0, prompt.length - 1, ids.length);
      return rows.gather(1, tensor([...ids], [ids.length, 1], "int64")).toArray();
    }),
  );
}

function expectClose(actual: readonly number[], expected: readonly number[]) {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected[i]!)));
  });
}

describe.each(["qwen2-tied", "qwen3", "llama3-rope-old", "mistral-window", "smollm3", "gemma3"])("%s", (name) => {
  const model = loadModel(fixture(name), { dtype: "float32" });
  afterAll(() => model.dispose());

  test.each<[string, Settings]>([
    ["blocks of one token", { blockSize: 1 }],
    ["blocks of 3, which prompts fill in part or wholly", { blockSize: 3 }],
    ["blocks of 16", { blockSize: 16 }],
    ["a run of blocks per row", { blockSize: 4, runs: true }],
    ["temperature and top-p", { blockSize: 4, temperature: 0.7, topP: 0.9 }],
    ["few rows", { blockSize: 4, maxRows: 5, maxPrefillTokens: 6 }],
  ])("draws what the contiguous cache draws: %s", async (_, settings) => {
    const { maxRows: maxBatchSize = 256, maxPrefillTokens = 8192 } = settings;
    const common = { n: 3, maxTokens: 14, seed: 3, ...settings };
    const engine = new Engine(model, letters, { maxBatchSize, maxPrefillTokens });
    const expected = await engine.generate(prompts, common);
    const actual = generate(model, common);
    expect(actual.map((group) => group.map(({ ids }) => ids))).toEqual(
      expected.map((group) => group.map(({ ids }) => ids)),
    );
    actual.forEach((group, p) => {
      group.forEach((completion, i) => {
        const { logprobs, samplingLogprobs, text, stopReason } = expected[p]![i]!;
        expectClose(completion.logprobs, logprobs);
        expectClose(completion.samplingLogprobs, samplingLogprobs);
        expect([completion.text, completion.stopReason]).toEqual([text, stopReason]);
      });
    });
  });

  test.each([1, 3, 256])(
    "results read a step late, %i rows: every token has its log-probability, none too many",
    (maxRows) => {
      const all = generate(model, { n: 4, maxTokens: 12, seed: 5, blockSize: 4, maxRows, ahead: true });
      const ends = [1, ...model.config.eosTokenIds];
      all.forEach((group, p) => {
        for (const { ids, logprobs, stopReason } of group) {
          expectClose(logprobs, teacherForced(model, prompts[p]!, ids));
          expect(ids.slice(0, -1).some((id) => ends.includes(id))).toBe(false);
          expect(stopReason).toBe(ends.includes(ids.at(-1)!) ? "eos" : "length");
          if (stopReason === "length") expect(ids).toHaveLength(12);
        }
      });
    },
  );

  test("a step ahead does not change what greedy decoding takes", async () => {
    const expected = await new Engine(model, letters).generate(prompts, { temperature: 0, maxTokens: 16 });
    const ahead = generate(model, { temperature: 0, maxTokens: 16, blockSize: 4, maxRows: 3, ahead: true });
    expect(ahead.map(([c]) => c!.ids)).toEqual(expected.map(([c]) => c!.ids));
  });
});

describe("qwen2-tied", () => {
  const model = loadModel(fixture("qwen2-tied"), { dtype: "float32" });
  afterAll(() => model.dispose());

  test("a stop string ends a completion and is cut from its text", async () => {
    const free = generate(model, { temperature: 0, maxTokens: 12, ignoreEos: true })[0]![0]!;
    const stop = [letters.decode(free.ids.slice(3, 5))];
    const [[expected]] = (await new Engine(model, letters).generate(prompts, {
      temperature: 0,
      maxTokens: 12,
      ignoreEos: true,
      stop,
    })) as [[Completion]];
    for (const ahead of [false, true]) {
      const cut = generate(model, { temperature: 0, maxTokens: 12, ignoreEos: true, stop, ahead })[0]![0]!;
      expect([cut.text, cut.stopReason, cut.ids]).toEqual([expected.text, "stop", expected.ids]);
    }
  });

  test("leaves no tensors behind", () => {
    generate(model, { n: 2, maxTokens: 6, seed: 1 });
    const before = liveTensors();
    generate(model, { n: 4, maxTokens: 9, seed: 1, maxRows: 3, blockSize: 2, ahead: true });
    expect(liveTensors()).toBe(before);
  });
});

test.each(["qwen2-tied", "phi3-longrope-partial", "gemma3"])("%s up to the end of its context", (name) => {
  const model = loadModel(fixture(name), { dtype: "float32" });
  const context = model.config.maxPositions;
  const all = generate(model, { maxTokens: context + 5, seed: 1, ignoreEos: true, blockSize: 16, ahead: true });
  all.forEach(([completion], p) => {
    expect(completion!.ids).toHaveLength(context - prompts[p]!.length);
    expect(completion!.stopReason).toBe("length");
    expectClose(completion!.logprobs, teacherForced(model, prompts[p]!, completion!.ids));
  });
});

test.each([
  [1, 1],
  [3, 4],
  [33, 48],
  [65, 72],
  [129, 256],
  [300, 512],
])("%i rows take the step made for %i", (rows, bucket) => {
  expect(bucketOf(rows)).toBe(bucket);
});
