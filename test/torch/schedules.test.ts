import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import { AdaptiveRate } from "../../src/torch/adaptive-rates.js";
import { type AdaptiveName, SCHEDULES, type ScheduleArguments } from "../../src/torch/schedule-names.js";
import { type FixedName, makeSchedule, warmupStepsOf } from "../../src/torch/schedules.js";

/** transformers' learning rates, by test/golden/make_optimizer.py (ten significant digits). */
interface Golden {
  name: FixedName;
  lr: number;
  num_warmup_steps: number;
  num_training_steps: number;
  scheduler_specific_kwargs: ScheduleArguments;
  values: number[];
}
interface AdaptiveGolden {
  name: AdaptiveName;
  lr: number;
  kwargs: ScheduleArguments;
  metrics: number[];
  values: number[];
}
const read = (name: string) =>
  JSON.parse(fs.readFileSync(path.resolve(import.meta.dirname, "../fixtures/torch", name), "utf8"));
const goldens: Golden[] = read("schedules.json");
const adaptiveGoldens: AdaptiveGolden[] = read("adaptive-rates.json");

test.each(goldens)("$name, warm-up $num_warmup_steps, $scheduler_specific_kwargs", (golden) => {
  const schedule = makeSchedule(golden.name, {
    lr: golden.lr,
    totalSteps: golden.num_training_steps,
    warmupSteps: golden.num_warmup_steps,
    kwargs: golden.scheduler_specific_kwargs,
  });
  golden.values.forEach((value, step) => {
    expect(Math.abs(schedule(step) - value), `step ${step}`).toBeLessThanOrEqual(1e-9 * golden.lr);
  });
});

test("every schedule has golden values", () => {
  const names = [...goldens, ...adaptiveGoldens].map((golden) => golden.name);
  expect(new Set(names)).toEqual(new Set(SCHEDULES));
});

test("cosine_with_min_lr needs exactly one minimum", () => {
  const options = { lr: 1e-6, totalSteps: 500 };
  expect(() => makeSchedule("cosine_with_min_lr", options)).toThrow(/neither was given/);
  const both = { ...options, kwargs: { min_lr: 0, min_lr_rate: 0.1 } };
  expect(() => makeSchedule("cosine_with_min_lr", both)).toThrow(UserError);
});

test("arguments that do not fit the run are refused", () => {
  expect(() => makeSchedule("polynomial", { lr: 1e-7, totalSteps: 10 })).toThrow(/lr_end 1e-7 must be below/);
  expect(() => makeSchedule("warmup_stable_decay", { lr: 1e-6, totalSteps: 10 })).toThrow(/needs num_decay_steps/);
});

test.each(adaptiveGoldens)("$name $kwargs, $metrics.0", ({ name, lr, kwargs, metrics, values }) => {
  let rate = new AdaptiveRate(name, lr, kwargs);
  metrics.forEach((metric, i) => {
    // As a run that is resumed between any two evaluations.
    const resumed = new AdaptiveRate(name, lr, kwargs);
    resumed.restore(JSON.parse(JSON.stringify(rate.state())));
    rate = resumed;
    rate.observe(metric);
    expect(Math.abs(rate.lr / values[i]! - 1), `evaluation ${i}`).toBeLessThanOrEqual(1e-9);
  });
});

test.each([
  [0.1, 500, 50],
  [0.03, 101, 4],
  [0, 10, 0],
])("a warm-up of %d of %d steps has %d", (ratio, total, steps) => {
  expect(warmupStepsOf(ratio, total)).toBe(steps);
});
