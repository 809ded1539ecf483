import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { Engine, loadModel, loadTokenizer, train, type UserReward } from "../src/index.js";
import { readMetrics } from "../src/run/metrics.js";
import { temporaryFolder, tinyCheckpoint, tinyDataset } from "./support/tiny-run.js";

const folder = temporaryFolder();
const small: UserReward = ({ completion }) => (completion.match(/[0-4]/g) ?? []).length / 10;

const options = (name: string, max_steps: number) => ({
  model_name_or_path: path.join(folder, "model"),
  dataset_name: path.join(folder, "train.jsonl"),
  output_dir: path.join(folder, name),
  num_generations: 4,
  per_device_train_batch_size: 8,
  max_completion_length: 10,
  beta: 0,
  dtype: "float32" as const,
  bf16: false,
  max_steps,
  log: () => {},
});

beforeAll(() => {
  tinyCheckpoint(folder);
  tinyDataset(folder);
});

test("a model learns from a function in a program, and samples there", async () => {
  const lr = { learning_rate: 0.003, lr_scheduler_type: "constant" as const };
  const { model, finished } = await train({ ...options("learns", 40), ...lr, reward_funcs: [small] });
  expect(finished).toBe(true);
  const rewards = readMetrics(path.join(model, "metrics.jsonl")).map((row) => Number(row["rewards/small/mean"]));
  const mean = (part: number[]) => part.reduce((a, b) => a + b, 0) / part.length;
  expect(mean(rewards.slice(-8))).toBeGreaterThan(mean(rewards.slice(0, 8)) + 0.1);
  const tokenizer = loadTokenizer(model);
  const engine = new Engine(loadModel(model), tokenizer);
  const [[completion]] = await engine.generate([tokenizer.encode("What is 1+1?")], { maxTokens: 8, seed: 1 });
  expect(completion?.ids.length).toBeGreaterThan(0);
});

test("functions and names mix; async, null and weights", async () => {
  const odd: UserReward = async ({ answer }) => (Number(answer) % 2 ? 1 : null);
  const { model } = await train({
    ...options("mixed", 2),
    reward_funcs: ["format", small, odd],
    reward_weights: [1, 0.5, 0.5],
  });
  const row = readMetrics(path.join(model, "metrics.jsonl"))[0];
  for (const name of ["format", "small", "odd"]) expect(row).toHaveProperty([`rewards/${name}/mean`]);
});

const never: UserReward = () => new Promise(() => {});
const broken: UserReward = () => {
  throw new Error("broken on purpose");
};
const noNumber = (() => "much") as unknown as UserReward;

test.each([
  ["a throw", { reward_funcs: [broken] }, /reward "broken" of your program failed.*broken on purpose.*row/s],
  ["a timeout", { reward_funcs: [never], reward_timeout: 0.05 }, /"never".*longer than 50 ms/],
  ["no number", { reward_funcs: [noNumber] }, /"noNumber".*returned much/],
  [
    "no name",
    {
      reward_funcs: [
        (
          () => () =>
            1
        )(),
      ],
    },
    /has no name/,
  ],
  ["twice", { reward_funcs: [small, small] }, /two rewards are named "small"/],
  ["a wrong key", { max_stepz: 3 }, /unknown key max_stepz.*max_steps/],
  ["a function that is not there", { reward_funcs: ["fn:gone"] }, /fn:gone is a function of a program/],
])("%s is told", async (name, keys, message) => {
  await expect(train({ ...options(name, 1), ...keys })).rejects.toThrow(message);
});
