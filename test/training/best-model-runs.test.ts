// Runs with load_best_model_at_end: the model they leave is the best checkpoint's, bit for bit, also after a kill.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { evaluate } from "../../src/grpo/evaluate.js";
import { runGrpo } from "../../src/grpo/run.js";
import { loadModel } from "../../src/model/index.js";
import { loadGrpoRecipe, loadSftRecipe } from "../../src/recipe/index.js";
import { latestCheckpoint } from "../../src/run/checkpoint.js";
import { readMetrics, withoutTiming } from "../../src/run/metrics.js";
import { runSft } from "../../src/sft/index.js";
import { liveTensors } from "../../src/torch/index.js";
import { additions, sftKeys } from "../sft/additions.js";
import { temporaryFolder, tinyCheckpoint, tinyDataset, tinyRecipe } from "../support/tiny-run.js";

const CHILD = fileURLToPath(new URL("../support/train-child.ts", import.meta.url));
const folder = temporaryFolder();
const sums = path.join(folder, "sums");
const problems = path.join(folder, "problems");
const BEST = ["--load_best_model_at_end", "true", "--eval_strategy", "steps", "--eval_steps", "2"];
// The loss falls all the time: the greatest is that of the first checkpoint.
const FIRST = ["--greater_is_better", "true"];
const LORA = ["--use_peft", "true", "--lora_r", "4", "--lora_target_modules", "all-linear"];
let outputs = 0;
let said = "";

const newOutput = () => path.join(folder, `run-${outputs++}`);
const sftWords = (output: string, more: readonly string[]) =>
  sftKeys(folder, output, ["--dataset_name", sums, ...BEST, ...more]);
const grpoWords = (output: string, more: readonly string[]) =>
  tinyRecipe(folder, output, ["--dataset_name", problems, "--num_generations_eval", "2", ...BEST, ...more]);

async function sft(more: readonly string[] = [], output = newOutput()) {
  const outcome = await runSft(loadSftRecipe(undefined, sftWords(output, more)).recipe, () => {});
  return { outcome, output };
}

async function grpo(more: readonly string[] = [], output = newOutput()) {
  const outcome = await runGrpo(loadGrpoRecipe(undefined, grpoWords(output, more)).recipe, () => {});
  return { outcome, output };
}

const bytes = (...parts: string[]) => readFileSync(path.join(...parts)).toString("base64");
const checkpoints = (output: string) => readdirSync(output).filter((name) => name.startsWith("checkpoint-"));
const bestOf = (output: string, step: number) =>
  JSON.parse(readFileSync(path.join(output, `checkpoint-${step}/trainer_state.json`), "utf8")).state.best;
const evaluations = (output: string, metric: string) =>
  readMetrics(path.join(output, "metrics.jsonl")).flatMap((row) =>
    metric in row ? [{ step: row.step, value: Number(row[metric]) }] : [],
  );

vi.mock("../../src/grpo/evaluate.js", { spy: true });

beforeAll(() => {
  tinyCheckpoint(folder);
  additions(sums, "train-0.jsonl", 24);
  additions(sums, "test-0.jsonl", 8, 30);
  mkdirSync(problems);
  writeFileSync(path.join(problems, "train.jsonl"), readFileSync(tinyDataset(folder), "utf8"));
  const held = [20, 30].map((n) => JSON.stringify({ problem: `What is ${n}+1?`, answer: String(n + 1) }));
  writeFileSync(path.join(problems, "test.jsonl"), `${held.join("\n")}\n`);
});

beforeEach(() => {
  said = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += text;
    return true;
  });
});

describe("SFT", () => {
  test("a run whose last step is not its best leaves the best weights, and says so", async () => {
    const { output, outcome } = await sft([...FIRST, "--save_total_limit", "1"]);
    const [first, ...later] = evaluations(output, "eval_loss");
    expect(first!.step).toBe(2);
    for (const { value } of later) expect(value).toBeLessThan(first!.value);
    expect(outcome).toMatchObject({ step: 6, finished: true });
    expect(checkpoints(output)).toEqual(["checkpoint-2", "checkpoint-6"]);
    expect(bestOf(output, 6)).toEqual(first);
    const file = "model.safetensors";
    expect(bytes(output, file)).toBe(bytes(output, "checkpoint-2", file));
    expect(bytes(output, file)).not.toBe(bytes(output, "checkpoint-6", file));
    const line = `the model is that after step 2, the best (eval_loss ${Number(first!.value.toPrecision(6))})`;
    expect(said.match(/load_best_model_at_end.*/g)).toEqual([`load_best_model_at_end: ${line}`]);
    // As after a kill between the last checkpoint and the model.
    rmSync(path.join(output, file));
    await sft([...FIRST, "--save_total_limit", "1"], output);
    expect(bytes(output, file)).toBe(bytes(output, "checkpoint-2", file));
  });

  test("without it, and where the last is the best, the last weights stay", async () => {
    const without = await sft(["--load_best_model_at_end", "false"]);
    const falling = await sft();
    expect(bestOf(without.output, 6)).toBeUndefined();
    expect(bestOf(falling.output, 6)).toEqual(evaluations(falling.output, "eval_loss").at(-1));
    for (const { output } of [without, falling])
      expect(bytes(output, "model.safetensors")).toBe(bytes(output, "checkpoint-6/model.safetensors"));
    expect(said).toMatch(/the model is that after step 6, the best/);
  });

  test("epochs: each end is evaluated and saved, also that of one only begun", async () => {
    const epochs = ["--eval_strategy", "epoch", "--save_strategy", "epoch", "--max_steps", "5"];
    const { output } = await sft([...epochs, ...FIRST]);
    expect(evaluations(output, "eval_loss").map(({ step }) => step)).toEqual([3, 5]);
    expect(checkpoints(output)).toEqual(["checkpoint-3", "checkpoint-5"]);
    expect(bytes(output, "model.safetensors")).toBe(bytes(output, "checkpoint-3/model.safetensors"));
  });

  test.each(["false", "true"])("adapters, with merge_adapters %s", async (merge) => {
    const { output } = await sft([...FIRST, ...LORA, "--learning_rate", "0.01", "--merge_adapters", merge]);
    const adapter = merge === "true" ? path.join(output, "adapter") : output;
    const file = "adapter_model.safetensors";
    expect(bytes(adapter, file)).toBe(bytes(output, "checkpoint-2", file));
    expect(bytes(adapter, file)).not.toBe(bytes(output, "checkpoint-6", file));
    if (merge === "false") return;
    const [merged, best] = [loadModel(output), loadModel(path.join(output, "checkpoint-2"), { merge: true })];
    for (const [name, weight] of best.weights) expect(merged.weights.get(name)!.toArray()).toEqual(weight.toArray());
  });

  test("bfloat16 with float32 master weights, and no tensor outlives the run", async () => {
    const half = ["--dtype", "bfloat16", "--force_dtype", "true", ...FIRST];
    await sft(half);
    const before = liveTensors();
    const { output } = await sft(half);
    expect(liveTensors() - before).toBe(0);
    expect(bytes(output, "model.safetensors")).toBe(bytes(output, "checkpoint-2/model.safetensors"));
  });

  test("more steps, from the folder itself or into another: the best so far is still the best", async () => {
    const { output } = await sft([...FIRST, "--max_steps", "4"]);
    const other = await sft([...FIRST, "--resume_from_checkpoint", path.join(output, "checkpoint-4")]);
    expect(bestOf(other.output, 6)).toEqual({ ...bestOf(output, 4), run: output });
    await sft(FIRST, output);
    for (const folderOfRun of [output, other.output])
      expect(bytes(folderOfRun, "model.safetensors")).toBe(bytes(output, "checkpoint-2/model.safetensors"));
  });

  test("the best is damaged or gone at the end: an error that names it, and --load_best_model_at_end false takes the last", async () => {
    const { output } = await sft(FIRST);
    truncateSync(path.join(output, "checkpoint-2/model.safetensors"), 100);
    await expect(sft(FIRST, output)).rejects.toThrow(
      /checkpoint-2 is the best .* cannot be loaded: model\.safetensors/,
    );
    rmSync(path.join(output, "checkpoint-2"), { recursive: true });
    await expect(sft(FIRST, output)).rejects.toThrow(
      /checkpoint-2 is the best \(eval_loss [\d.]+\) and cannot be loaded: it is gone: put it back, or take the last/,
    );
    await sft([...FIRST, "--load_best_model_at_end", "false"], output);
    expect(bytes(output, "model.safetensors")).toBe(bytes(output, "checkpoint-6/model.safetensors"));
  });
});

describe("GRPO", () => {
  test("of equals the earlier: weights that stand still", async () => {
    const { output } = await grpo(["--learning_rate", "1e-12", "--max_steps", "4", "--save_total_limit", "1"]);
    const [first, second] = evaluations(output, "eval_reward");
    expect(second!.value).toBe(first!.value);
    expect(bestOf(output, 4)).toEqual(first);
    expect(checkpoints(output)).toEqual(["checkpoint-2", "checkpoint-4"]);
    expect(said).toContain(`the model is that after step 2, the best (eval_reward ${first!.value}`);
  });

  test("the best evaluation's weights, whichever metric and direction", async () => {
    const chosen = new Set<number>();
    for (const greater of ["true", "false"]) {
      const metric = ["--metric_for_best_model", "rewards/vowels/mean", "--greater_is_better", greater];
      const { output } = await grpo([...metric, "--learning_rate", "0.03", "--lr_scheduler_type", "constant"]);
      const sign = greater === "true" ? 1 : -1;
      const [best] = evaluations(output, "eval_rewards/vowels/mean").sort((a, b) => sign * (b.value - a.value));
      expect(bestOf(output, 6)).toEqual(best);
      const file = "model.safetensors";
      expect(bytes(output, file)).toBe(bytes(output, `checkpoint-${best!.step}`, file));
      chosen.add(best!.step);
    }
    // The same run judged both ways: at least one of them does not end on its best.
    expect(chosen.size).toBe(2);
  });

  test("Ctrl-C in the last evaluation: not finished, as it may be the best; the same command ends as one never stopped", async () => {
    const more = ["--max_steps", "4", "--learning_rate", "0.03"];
    const whole = await grpo(more);
    const real = await vi.importActual<typeof import("../../src/grpo/evaluate.js")>("../../src/grpo/evaluate.js");
    vi.mocked(evaluate)
      .mockImplementationOnce(real.evaluate)
      .mockImplementationOnce((context, ...rest) => {
        process.emit("SIGINT");
        return real.evaluate(context, ...rest);
      });
    const stopped = await grpo(more);
    expect(stopped.outcome).toMatchObject({ step: 4, finished: false });
    expect(readdirSync(stopped.output)).not.toContain("model.safetensors");
    expect((await grpo(more, stopped.output)).outcome).toMatchObject({ step: 4, finished: true });
    expect(bestOf(stopped.output, 4)).toEqual(bestOf(whole.output, 4));
    expect(bytes(stopped.output, "model.safetensors")).toBe(bytes(whole.output, "model.safetensors"));
  });
});

describe("kill -9 in the middle of a save, and again", () => {
  function child(words: readonly string[], when: object) {
    return spawnSync(process.execPath, ["--import", "tsx", CHILD, JSON.stringify(when), ...words], {
      encoding: "utf8",
    });
  }
  const result = (output: string) => ({
    model: bytes(output, "model.safetensors"),
    best: bestOf(output, 6),
    kept: checkpoints(output),
    metrics: readMetrics(path.join(output, "metrics.jsonl")).map(withoutTiming),
  });

  test.each([
    ["SFT", 30, [...FIRST, "--save_total_limit", "1"]],
    ["GRPO", 60, ["--save_total_limit", "1", "--metric_for_best_model", "completions/mean_length"]],
  ])("%s: the same best, the same checkpoints, the same model", async (kind, fsync, more) => {
    const isSft = kind === "SFT";
    const { output: whole } = isSft ? await sft(more) : await grpo(more);
    const output = newOutput();
    const words = (isSft ? sftWords : grpoWords)(output, more);
    const killed = child(words, { sft: isSft || undefined, fsync });
    expect(killed.signal, killed.stderr).toBe("SIGKILL");
    // In a save after the first: what is the best so far comes from the checkpoint.
    const last = latestCheckpoint(output, () => {});
    expect(bestOf(output, last!.step)).toMatchObject({ value: expect.any(Number) });
    const resumed = child(words, { sft: isSft || undefined });
    expect(JSON.parse(resumed.stdout), resumed.stderr).toMatchObject({ step: 6, finished: true });
    expect(result(output)).toEqual(result(whole));
  });
});
