import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import { GRPO_STATE } from "../../src/grpo/state.js";
import { loadTrainerState, saveTrainerState } from "../../src/run/state.js";
import { temporaryFolder } from "./helpers.js";

test("a state comes back exactly, with what JSON alone would lose", () => {
  const folder = temporaryFolder();
  const state = {
    step: 12,
    epoch: 0.1 + 0.2,
    rng: new Uint8Array([0, 1, 254, 255]),
    buffer: Buffer.from("abc"),
    big: 2n ** 64n - 1n,
    odd: [Number.NaN, Number.NEGATIVE_INFINITY, -0, 5e-324, Number.MAX_VALUE],
    sampler: { seed: 42, order: [3, 1, 2], none: null, text: "é\u2028" },
  };
  saveTrainerState(folder, state);
  const loaded = loadTrainerState<typeof state>(folder);
  expect({ ...loaded, buffer: Buffer.from(loaded.buffer) }).toEqual(state);
  expect(Object.is(loaded.odd[2], -0)).toBe(true);
});

test.each([
  [undefined, /it has no trainer_state\.json/],
  ["{", /is not JSON/],
  ['{"version":9,"state":{"step":1}}', /has version 9, this open-rs reads version 1/],
  ["null", /has version undefined/],
])("a state file of %j is a clear error", (text, message) => {
  const folder = temporaryFolder();
  if (text !== undefined) fs.writeFileSync(path.join(folder, "trainer_state.json"), text);
  expect(() => loadTrainerState(folder)).toThrow(message);
});

const whole = {
  step: 1,
  recipe: {},
  numTokens: 5,
  unlogged: [],
  sampler: { seed: 1, shuffle: true, size: 3, fingerprint: "f", epoch: 0, position: 2 },
  rng: { cpu: new Uint8Array([1]) },
  pending: null,
};

test.each([
  ["rng", { rng: undefined }],
  ["rng.cpu", { rng: { cpu: "none" } }],
  ["sampler", { sampler: undefined }],
  ["sampler.position", { sampler: { ...whole.sampler, position: -1 } }],
  ["recipe", { recipe: undefined }],
  ["step", { step: 0.5 }],
  ["unlogged", { unlogged: 7 }],
])("a state with a wrong %s is damaged, in one line", (where, changes) => {
  const folder = temporaryFolder();
  saveTrainerState(folder, whole);
  expect(loadTrainerState(folder, GRPO_STATE)).toEqual(whole);
  saveTrainerState(folder, { ...whole, ...changes });
  const attempt = () => loadTrainerState(folder, GRPO_STATE);
  expect(attempt).toThrow(UserError);
  expect(attempt).toThrow(
    new RegExp(`trainer_state\\.json: state\\.${where.replace(".", "\\.")}: .*checkpoint is damaged`),
  );
});
