/** What a machine cannot hold is said before training, with the sizes and what to change. */
import { expect, test } from "vitest";
import { assertFits, assertHeapHolds } from "../../src/passes/fit.js";

const GB = 1e9;

test.each([
  [
    "the weights",
    { training: 20 * GB, perToken: 0, longest: 1 },
    /optimizer need 20\.0 GB, the machine has 16\.0 GB: .*use_peft/,
  ],
  [
    "a sequence",
    { training: 8 * GB, perToken: 1e6, longest: 10_000 },
    /sequence of 10000 tokens needs 10\.0 GB .* beside 8\.0 GB .*: lower max_completion_length/,
  ],
])("%s that cannot fit", (_name, needs, message) => {
  expect(() => assertFits(needs, 16 * GB)).toThrow(message);
});

test("what just fits passes", () => {
  assertFits({ training: 8 * GB, perToken: 1e6, longest: 8000 }, 16 * GB);
  assertHeapHolds(8192, 16_384, 4 * GB);
});

test("completions beyond JavaScript's memory", () => {
  expect(() => assertHeapHolds(65_536, 16_384, 4 * GB)).toThrow(
    /^65536 completions of up to 16384 tokens .* need 11\.8 GB .* Node\.js may use 4\.0 GB: sample fewer/,
  );
});
