/** sync_ref_model: TRL's reference after each sync (test/golden/make_sync_ref.py), and what a checkpoint keeps of it. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { loadReference, saveReference, syncReference } from "../../src/grpo/reference.js";
import { type CausalLM, loadModel } from "../../src/model/index.js";
import { noGrad, ops, tensor } from "../../src/torch/index.js";
import { fixtureDir } from "../model/fixtures.js";
import { temporaryFolder } from "../support/tiny-run.js";

interface Golden {
  alpha: number;
  start: number[];
  models: number[][];
  references: number[][];
}
const goldens: Golden[] = JSON.parse(
  readFileSync(new URL("../fixtures/training/sync-ref.json", import.meta.url), "utf8"),
);

const load = () => loadModel(fixtureDir("qwen2-tied"), { dtype: "float32", copy: true });

/** A parameter whose first values stand for the golden ones. */
function slot(model: CausalLM, length: number) {
  const weight = [...model.parameters().values()][0]!.reshape(-1).narrow(0, 0, length);
  return {
    set: (values: number[]) => noGrad(() => ops.copy_(weight, tensor(values))),
    get: () => weight.toArray(),
  };
}

const keysOf = (alpha: number) => ({ sync_ref_model: true, ref_model_mixup_alpha: alpha, ref_model_sync_steps: 3 });

test.each(goldens)("share $alpha: every third step TRL's mean, the others as it was", ({ alpha, start, ...golden }) => {
  const [model, reference] = [load(), load()];
  const [now, then] = [slot(model, start.length), slot(reference, start.length)];
  then.set(start);
  let expected = then.get();
  for (let step = 1; step <= 3 * golden.models.length; step++) {
    const sync = step / 3 - 1;
    now.set(golden.models[Math.floor((step - 1) / 3)]!);
    if (Number.isInteger(sync)) expected = golden.references[sync]!;
    syncReference(reference, model, step, keysOf(alpha));
    then.get().forEach((x, i) => {
      expect(Math.abs(x - expected[i]!), `step ${step}`).toBeLessThanOrEqual(1e-7);
    });
  }
});

test("a checkpoint holds the reference once it has moved, bit for bit", () => {
  const folder = temporaryFolder();
  const keys = keysOf(0.3);
  const [model, reference] = [load(), load()];
  const at = (step: number) => {
    const dir = path.join(folder, String(step));
    mkdirSync(dir);
    saveReference(reference, dir, step, keys);
    return dir;
  };
  expect(readdirSync(at(2))).toEqual([]);
  slot(model, 4).set([1, 2, 3, 4]);
  syncReference(reference, model, 3, keys);
  const dir = at(3);
  const again = load();
  loadReference(again, dir, 3, keys);
  for (const [name, weight] of again.parameters())
    expect(weight.toArray(), name).toEqual(reference.parameters().get(name)!.toArray());
  expect(() => loadReference(again, path.join(folder, "2"), 4, keys)).toThrow(/has no reference.safetensors/);
});
