import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseConfig, randomModel, saveModel } from "../model/index.js";
import { manualSeed } from "../torch/index.js";

/** The demo's own files; the path holds from src/ and from dist/ alike. */
const DEMO_FILES = new URL("./", import.meta.url);

/** Writes the untrained model the warm-up starts from (random float32 weights, tokenizer) and returns its folder. */
export function writeFreshModel(folder: string, seed: number): string {
  const raw = JSON.parse(readFileSync(new URL("config.json", DEMO_FILES), "utf8")) as Record<string, unknown>;
  manualSeed(seed);
  const model = randomModel(parseConfig(raw, "the demo's config.json"), { std: Number(raw.initializer_range) });
  saveModel(model, folder, { companionsFrom: fileURLToPath(new URL("tokenizer/", DEMO_FILES)) });
  model.dispose();
  return folder;
}
