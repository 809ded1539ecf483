/** Shares of a run as intervals: transformers' numbers of steps (test/golden/make_optimizer.py), and where a run saves, logs and evaluates. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { stepsOf } from "../../src/training/intervals.js";

const goldens: { interval: number; total: number; steps: number }[] = JSON.parse(
  readFileSync(new URL("../fixtures/training/intervals.json", import.meta.url), "utf8"),
);

test("a share of the run is rounded up, as transformers does", () => {
  expect(goldens.map(({ interval, total }) => stepsOf(interval, total))).toEqual(goldens.map(({ steps }) => steps));
});
