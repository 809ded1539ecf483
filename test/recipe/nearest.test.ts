import { expect, test } from "vitest";
import { editDistance, nearest } from "../../src/recipe/nearest.js";

test.each([
  ["", "", 0],
  ["a", "", 1],
  ["kitten", "sitting", 3],
  ["ab", "ba", 1],
  ["ca", "abc", 3],
  ["grpo", "gpro", 1],
])("editDistance(%j, %j) = %i", (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
  expect(editDistance(b, a)).toBe(distance);
});

test.each([
  ["max-steps", "max_steps"],
  ["Seed", "seed"],
  ["zzz", undefined],
])("nearest(%j) = %j", (word, expected) => {
  expect(nearest(word, ["seed", "max_steps", "save_steps"])).toBe(expected);
});
