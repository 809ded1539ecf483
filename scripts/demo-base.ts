/**
 * `npm run demo:base`: makes the demo's warmed-up model again, from nothing: a fresh model, a corpus of worked answers, and our `sft`
 * as recipes/demo-base.yaml says; in bfloat16, with its hash, into src/demo/base, where `npm start` takes it from.
 * Killed, it goes on from its last checkpoint.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { writeCorpus } from "../src/demo/data.js";
import { DEMO_BASE } from "../src/demo/demo.js";
import { writeFreshModel } from "../src/demo/fresh.js";
import { loadModel, saveModel } from "../src/model/index.js";
import { loadSftRecipe } from "../src/recipe/index.js";
import { runSft } from "../src/sft/index.js";

const WORK = "runs/demo-base";
const CORPUS = { seed: 2, count: 256_000 };

const { recipe } = loadSftRecipe("recipes/demo-base.yaml", process.argv.slice(2));
if (!existsSync(path.join(WORK, "fresh/model.safetensors"))) {
  writeFreshModel(path.join(WORK, "fresh"), 1);
  writeCorpus(WORK, CORPUS);
}
const outcome = await runSft(recipe, console.error);
if (!outcome.finished) process.exit(130);

saveModel(loadModel(outcome.model), DEMO_BASE, { dtype: "bfloat16", companionsFrom: outcome.model });
const hash = createHash("sha256")
  .update(readFileSync(path.join(DEMO_BASE, "model.safetensors")))
  .digest("hex");
writeFileSync(path.join(DEMO_BASE, "model.sha256"), `${hash}  model.safetensors\n`);
console.error(`${path.join(DEMO_BASE, "model.safetensors")}: sha256 ${hash}`);
