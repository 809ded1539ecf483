/** What may change between a run and its going on, and what makes it another run. */
import { expect, test } from "vitest";
import { type GrpoRecipe, resolveGrpoRecipe } from "../../src/recipe/index.js";
import { changesBetween } from "../../src/training/resume.js";

const recipeOf = (keys: Record<string, unknown> = {}): GrpoRecipe & Record<string, unknown> => {
  const base = { model_name_or_path: "/a/model", dataset_name: "/a/train.jsonl", reward_funcs: ["format"] };
  return resolveGrpoRecipe({ ...base, ...keys }).recipe;
};
const compare = (before: Record<string, unknown>, now: Record<string, unknown>) =>
  changesBetween({ recipe: recipeOf(before), rewards: {} }, { recipe: recipeOf(now), rewards: {} });

test.each<[string, object, object, string[], RegExp[]]>([
  ["nothing", {}, {}, [], []],
  ["more steps", { max_steps: 10 }, { max_steps: 20 }, [], [/^max_steps was 10, is 20 \(the learning rate/]],
  ["more epochs", {}, { num_train_epochs: 5 }, [], [/num_train_epochs was 3, is 5/]],
  ["threads, device", { threads: 4 }, { threads: 2, device: "cpu" }, [], [/device/, /threads was 4, is 2/]],
  ["a moved model and data set", {}, { model_name_or_path: "model", dataset_name: "/b/train.jsonl" }, [], []],
  ["another data set", {}, { dataset_name: "/a/other.jsonl" }, ["dataset_name"], []],
  [
    "another model of that name on the hub",
    { model_name_or_path: "a/m" },
    { model_name_or_path: "b/m" },
    ["model_name_or_path"],
    [],
  ],
  ["another temperature", {}, { temperature: 0.5 }, ["temperature"], []],
  ["other rewards", {}, { reward_funcs: ["accuracy"] }, ["reward_funcs"], []],
  ["how long a reward may take", {}, { reward_timeout: 99 }, [], []],
])("%s", (_name, before, now, refused, noted) => {
  const changes = compare({ ...before }, { ...now });
  expect(changes.refused.map((line) => line.split(" ")[0])).toEqual(refused);
  expect(changes.noted.sort()).toEqual(noted.map((pattern) => expect.stringMatching(pattern)));
});

test("a key that a newer version added had its default; another value is a change", () => {
  const { top_k: _, ...older } = recipeOf();
  const now = (keys: object) => ({ recipe: recipeOf({ ...keys }), rewards: {} });
  expect(changesBetween({ recipe: older, rewards: {} }, now({})).refused).toEqual([]);
  expect(changesBetween({ recipe: older, rewards: {} }, now({ top_k: 5 })).refused).toEqual(["top_k was 0, is 5"]);
});

test("a key that only an older version knew", () => {
  const older = { ...recipeOf(), once_upon_a_time: 3 };
  expect(changesBetween({ recipe: older, rewards: {} }, { recipe: recipeOf(), rewards: {} }).refused).toEqual([]);
});

test.each<[string, string, string | undefined, string, string, boolean, RegExp[]]>([
  ["moved", "/a/r.ts", "1", "/b/r.ts", "1", true, []],
  ["moved, the run of an earlier version", "/a/r.ts#f", undefined, "/b/r.ts#f", "1", true, []],
  ["renamed", "/a/r.ts", "1", "/a/other.ts", "1", true, []],
  ["edited", "/a/r.ts", "1", "/a/r.ts", "2", true, [/r.ts was edited/]],
  ["another file", "/a/r.ts", "1", "/a/other.ts", "2", false, []],
  ["another function of it", "/a/r.ts#f", "1", "/a/r.ts#g", "1", false, []],
])("a reward file, %s", (_name, before, hashBefore, now, hashNow, allowed, noted) => {
  const changes = changesBetween(
    {
      recipe: recipeOf({ reward_funcs: [before] }),
      rewards: hashBefore === undefined ? undefined : { [before]: hashBefore },
    },
    { recipe: recipeOf({ reward_funcs: [now] }), rewards: { [now]: hashNow } },
  );
  expect(changes.refused.length === 0).toBe(allowed);
  expect(changes.noted).toEqual(noted.map((pattern) => expect.stringMatching(pattern)));
});
