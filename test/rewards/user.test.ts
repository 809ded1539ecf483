import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { loadRewards, type Reward, type RewardInput, type RewardOptions } from "../../src/rewards/index.js";

const dir = join(import.meta.dirname, "../fixtures/rewards/user");

function input(completion: string, index = 0): RewardInput {
  const prompt = [{ role: "user", content: "1+1?" }];
  return {
    completion,
    completionIds: [1, 2, 3],
    prompt,
    row: { level: index, id: `row-${index}` },
    truncated: false,
    index,
  };
}

const opened: Reward[] = [];
afterEach(async () => {
  for (const reward of opened.splice(0)) await reward.close?.();
});

async function open(spec: string, options: Partial<RewardOptions> = {}): Promise<Reward[]> {
  const rewards = await loadRewards([spec], options, dir);
  opened.push(...rewards);
  return rewards;
}

async function failureOf(promise: Promise<unknown>): Promise<UserError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

describe("functions of a user's file", () => {
  it("each export is a reward that sees completion, ids, prompt and the row's columns", async () => {
    const rewards = await open("good.ts");
    expect(rewards.map((reward) => reward.name).sort()).toEqual(["good", "later", "level", "seen", "tokens"]);
    const batch = [input("", 0), input("abc", 1), { ...input("é", 2), truncated: true }];
    const scores = Object.fromEntries(await Promise.all(rewards.map(async (r) => [r.name, await r.score(batch)])));
    const promptLength = JSON.stringify(batch[0].prompt).length;
    expect(scores).toEqual({
      tokens: [1.5, 1.5, 1.5],
      level: [null, null, 2],
      later: [0, 3, 1],
      seen: [promptLength, promptLength, promptLength + 1000],
      good: [0, 1, 1],
    });
  });

  it("may use what open-rs exports, but no tensors: libtorch belongs to the training's thread", async () => {
    const [correct] = await open("uses-open-rs.ts#correct");
    expect(await correct!.score([input("\\boxed{0.5}"), input("\\boxed{0.25}")])).toEqual([1, 0]);
    expect((await failureOf(correct!.score([input("")]))).message).toMatch(/UserError: an empty completion/);
    const [tensors] = await open("uses-open-rs.ts#tensors");
    const { message } = await failureOf(tensors!.score([input("a")]));
    expect(message).toMatch(/tensors and models of open-rs cannot be used in a rewards file.*open-rs\/math/);
  });

  it("takes one export by name, and JavaScript as well", async () => {
    expect((await open("good.ts#tokens")).map((reward) => reward.name)).toEqual(["tokens"]);
    const [brevity] = await open("plain.js");
    expect(brevity.name).toBe("brevity");
    expect(await brevity.score([input("abcd")])).toEqual([0.25]);
  });

  it.each([
    ["absent.ts", /no rewards file .*absent\.ts/],
    ["empty.ts", /exports no function/],
    ["good.ts#other", /exports only .*tokens.*: export other/],
    ["syntax.ts", /syntax\.ts cannot be loaded: .*Unexpected ";"/s],
  ])("%s is a clear error", async (spec, message) => {
    expect((await failureOf(open(spec))).message).toMatch(message);
  });
});

const WRONG: [string, RegExp][] = [
  ["throws", /TypeError: no such thing \(at throws .*bad\.ts:9:/],
  ["rejects", /Error: later no/],
  ["nan", /it returned NaN/],
  ["nothing", /it returned undefined/],
  ["text", /it returned 1; return a number/],
  ["loops", /longer than 400 ms/],
  ["hangs", /longer than 400 ms/],
  ["loopsAmongWaiting", /longer than 400 ms/],
  ["exits", /the worker ended/],
];

describe("a function that goes wrong", () => {
  const batch = ["fine", "fine", "bad", "fine"].map(input);

  it.each(WRONG)("%s: stops with reward, row and completion", async (name, message) => {
    const [reward] = await open(`bad.ts#${name}`, { reward_timeout_ms: 400 });
    const error = await failureOf(reward.score(batch));
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`reward "${name}"`);
    if (name !== "exits") expect(error.message).toMatch(/row 3: .*"row-2".*\n.*completion: "bad"/);
  });

  it.each(WRONG.slice(0, -1))("%s: scores null when the recipe says so", async (name) => {
    const [reward] = await open(`bad.ts#${name}`, { reward_timeout_ms: 400, reward_on_error: "null" });
    expect(await reward.score(batch)).toEqual([1, 1, null, 1]);
  });
});

it("a function that waits for a process ends in its time, and so does the worker", async () => {
  const [reward] = await open("bad.ts#waitsForAProcess", { reward_timeout_ms: 400 });
  const start = performance.now();
  const { message } = await failureOf(reward.score([input("bad")]));
  expect(message).toMatch(/"waitsForAProcess".*longer than 400 ms/);
  await reward.close?.();
  // It starts again for other completions, which it could not while the old one lives.
  const [again] = await open("bad.ts#waitsForAProcess", { reward_timeout_ms: 400, reward_on_error: "null" });
  expect(await again.score(["bad", "fine"].map(input))).toEqual([null, 1]);
  expect(performance.now() - start).toBeLessThan(20_000);
});

it("a complaint of 10 MB is cut", async () => {
  const [reward] = await open("bad.ts#complains");
  const { message } = await failureOf(reward.score([input("bad")]));
  expect(message).toMatch(/no! … \(10000000 characters\)/);
  expect(message.length).toBeLessThan(3000);
});

it("a worker that died is replaced for the next completions", async () => {
  const [reward] = await open("bad.ts#exits", { reward_on_error: "null" });
  expect(await reward.score([input("bad")])).toEqual([null]);
  expect(await reward.score(["fine", "fine"].map(input))).toEqual([1, 1]);
});

it("an aborted signal ends scoring", async () => {
  const [reward] = await open("good.ts#later");
  const stop = new AbortController();
  stop.abort(new Error("stopped by the user"));
  await expect(reward.score([input("a")], stop.signal)).rejects.toThrow("stopped by the user");
});

describe("a worker ends", () => {
  const own = mkdtempSync(join(tmpdir(), "open-rs-test-"));
  afterAll(() => rmSync(own, { recursive: true }));
  const log = join(own, "log");
  const said = () => readFileSync(log, "utf8");
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const file = (name: string, body: string) =>
    writeFileSync(
      join(own, name),
      `import { appendFileSync } from "node:fs";
      const say = (word) => appendFileSync(${JSON.stringify(log)}, word);
      say("begun ");
      setInterval(() => say("alive "), 20);
      ${body}`,
    );

  it("where another entry of reward_funcs cannot be had", async () => {
    file("one.mjs", "export const one = () => 1;");
    writeFileSync(log, "");
    await expect(loadRewards(["one.mjs", "missing.mjs"], {}, own)).rejects.toThrow(/no rewards file/);
    await expect(loadRewards(["one.mjs#one", "one.mjs"], {}, own)).rejects.toThrow(/two rewards are named/);
    const last = said();
    expect(last.split("begun")).toHaveLength(4);
    await pause(200);
    expect(said()).toBe(last);
  });

  it("and no other one begins for a call that took too long before", async () => {
    file("loops.mjs", "export const loops = () => { for (;;); };");
    writeFileSync(log, "");
    const [reward] = await loadRewards(["loops.mjs"], { reward_timeout_ms: 200 }, own);
    await failureOf(reward!.score([input("")]));
    await reward!.close?.();
    await pause(1000);
    expect(said().split("begun")).toHaveLength(2);
  });
});
