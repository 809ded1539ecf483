import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import { makeSchedule, type ScheduleName, warmupStepsOf } from "../../src/torch/schedules.js";

/** transformers' learning rates, by test/golden/make_optimizer.py (ten significant digits). */
interface Golden {
  name: ScheduleName;
  lr: number;
  num_warmup_steps: number;
  num_training_steps: number;
  scheduler_specific_kwargs: { min_lr?: number; min_lr_rate?: number };
  values: number[];
}
const goldens: Golden[] = JSON.parse(
  fs.readFileSync(path.resolve(import.meta.dirname, "../fixtures/torch/schedules.json"), "utf8"),
);

test.each(goldens)("$name, warm-up $num_warmup_steps, $scheduler_specific_kwargs", (golden) => {
  const { min_lr: minLr, min_lr_rate: minLrRate } = golden.scheduler_specific_kwargs;
  const schedule = makeSchedule(golden.name, {
    lr: golden.lr,
    totalSteps: golden.num_training_steps,
    warmupSteps: golden.num_warmup_steps,
    ...(minLr === undefined ? {} : { minLr }),
    ...(minLrRate === undefined ? {} : { minLrRate }),
  });
  golden.values.forEach((value, step) => {
    expect(Math.abs(schedule(step) - value), `step ${step}`).toBeLessThanOrEqual(1e-9 * golden.lr);
  });
});

test("every schedule has golden values", () => {
  const names = new Set(goldens.map((golden) => golden.name));
  expect(names).toEqual(new Set(["constant", "constant_with_warmup", "linear", "cosine", "cosine_with_min_lr"]));
});

test("cosine_with_min_lr needs exactly one minimum", () => {
  const options = { lr: 1e-6, totalSteps: 500 };
  expect(() => makeSchedule("cosine_with_min_lr", options)).toThrow(/neither was given/);
  expect(() => makeSchedule("cosine_with_min_lr", { ...options, minLr: 0, minLrRate: 0.1 })).toThrow(UserError);
});

test.each([
  [0.1, 500, 50],
  [0.03, 101, 4],
  [0, 10, 0],
])("a warm-up of %d of %d steps has %d", (ratio, total, steps) => {
  expect(warmupStepsOf(ratio, total)).toBe(steps);
});
