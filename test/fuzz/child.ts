/**
 * Runs cases of one kind in a process of its own, which may end as it should not: says which case it is at, and how each ended.
 *   node --import tsx child.ts KIND SEED RUNS FOLDER
 */
import fs from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { formatError } from "../../src/cli/errors.js";
import { loadDataset } from "../../src/data/index.js";
import { runGrpo } from "../../src/grpo/run.js";
import { loadModel, parseConfig } from "../../src/model/index.js";
import { loadGrpoRecipe } from "../../src/recipe/index.js";
import { writeManifest } from "../../src/run/manifest.js";
import { loadTokenizer } from "../../src/text/index.js";
import { loadSafetensors } from "../../src/torch/safetensors.js";
import { tinyRecipe } from "../support/tiny-run.js";
import { recipeEdges } from "./edges.js";
import { blows, damaged, edited, type Replacement, replacement } from "./mutations.js";

const [kind, seed, runs, folder] = process.argv.slice(2) as [string, string, string, string];
const FIXTURES = path.resolve(import.meta.dirname, "../fixtures");
const sample = <T>(arbitrary: fc.Arbitrary<T>): T[] =>
  fc.sample(arbitrary, { seed: Number(seed), numRuns: Number(runs) });
const quiet = () => {};

interface Case {
  name: string;
  run: () => unknown;
}

function bytesCases(file: string, use: (damagedFile: string) => unknown): Case[] {
  const bytes = fs.readFileSync(file);
  return sample(blows).map((list) => ({
    name: JSON.stringify(list),
    run: () => {
      const target = path.join(folder, path.basename(file));
      fs.rmSync(target, { force: true });
      fs.writeFileSync(target, damaged(bytes, list));
      return use(target);
    },
  }));
}

function jsonCases(json: unknown, use: (json: unknown) => unknown): Case[] {
  return sample(replacement).map((change: Replacement) => ({
    name: JSON.stringify(change),
    run: () => use(edited(json, change)),
  }));
}

const readJson = (file: string): unknown => JSON.parse(fs.readFileSync(file, "utf8"));

function tokenizerCases(): Case[] {
  const source = path.join(FIXTURES, "text/bpe");
  return ["tokenizer.json", "tokenizer_config.json"].flatMap((name) =>
    jsonCases(readJson(path.join(source, name)), (json) => {
      const dir = path.join(folder, "tokenizer");
      fs.cpSync(source, dir, { recursive: true });
      fs.writeFileSync(path.join(dir, name), JSON.stringify(json));
      const tokenizer = loadTokenizer(dir);
      const ids = tokenizer.encode("What is 12 + 7? <|eos|> é 你好");
      tokenizer.decode(ids);
      return tokenizer.chatTemplate && tokenizer.applyChatTemplate([{ role: "user", content: "hi" }]);
    }),
  );
}

/** A run that goes on from a checkpoint of which a file was changed; the run before is never changed by a refusal. */
function checkpointCases(): Case[] {
  const base = path.join(folder, "base");
  const run = path.join(folder, "run");
  const recipe = () => loadGrpoRecipe(undefined, tinyRecipe(folder, run, ["--max_steps", "4"])).recipe;
  const resume = (change: (checkpoint: string) => void) => {
    fs.rmSync(run, { recursive: true, force: true });
    fs.cpSync(base, run, { recursive: true });
    change(path.join(run, "checkpoint-2"));
    return runGrpo(recipe(), quiet);
  };
  const state = readJson(path.join(base, "checkpoint-2/trainer_state.json"));
  const changed = jsonCases(state, (json) =>
    resume((checkpoint) => {
      fs.writeFileSync(path.join(checkpoint, "trainer_state.json"), JSON.stringify(json));
      // As if it had been saved so: a manifest written by hand.
      writeManifest(checkpoint, 2);
    }),
  );
  const names = ["manifest.json", "model.safetensors", "optimizer.safetensors", "config.json", "trainer_state.json"];
  const torn = sample(blows).map((list, i) => {
    const name = names[i % names.length]!;
    const run = () =>
      resume((checkpoint) => {
        const file = path.join(checkpoint, name);
        fs.writeFileSync(file, damaged(fs.readFileSync(file), list));
      });
    return { name: `${name} ${JSON.stringify(list)}`, run };
  });
  return [...changed, ...torn];
}

function recipeCases(): Case[] {
  const output = path.join(folder, "output");
  const all = recipeEdges().map(([key, value]) => ({
    name: `--${key} ${value}`,
    run: () => {
      fs.rmSync(output, { recursive: true, force: true });
      const words = tinyRecipe(folder, output, ["--save_strategy", "no", "--max_steps", "1", `--${key}=${value}`]);
      return runGrpo(loadGrpoRecipe(undefined, words).recipe, quiet);
    },
  }));
  const length = Math.min(all.length, Number(runs));
  const some = fc.shuffledSubarray(all, { minLength: length, maxLength: length });
  return fc.sample(some, { seed: Number(seed), numRuns: 1 })[0]!;
}

const KINDS: Record<string, () => Case[]> = {
  safetensors: () =>
    bytesCases(path.join(FIXTURES, "safetensors/all-dtypes.safetensors"), (file) => {
      for (const value of loadSafetensors(file).tensors.values()) value.dispose();
    }),
  parquet: () => {
    const codecs = ["none", "snappy", "gzip", "zstd", "brotli", "lz4"];
    const cases = codecs.map((codec) =>
      bytesCases(path.join(FIXTURES, `data/nested-${codec}.parquet`), (name) => loadDataset({ name })),
    );
    return cases.flatMap((list, i) => list.filter((_, n) => n % codecs.length === i));
  },
  jsonl: () => bytesCases(path.join(folder, "base/metrics.jsonl"), (name) => loadDataset({ name })),
  tokenizer: tokenizerCases,
  config: () => {
    const source = path.join(FIXTURES, "models/qwen2-tied");
    fs.cpSync(source, path.join(folder, "weights"), { recursive: true });
    return jsonCases(readJson(path.join(source, "config.json")), (json) => {
      parseConfig(json);
      fs.writeFileSync(path.join(folder, "weights/config.json"), JSON.stringify(json));
      loadModel(path.join(folder, "weights")).dispose();
    });
  },
  checkpoint: checkpointCases,
  recipe: recipeCases,
};

// To a file: a pipe that is full refuses a synchronous write.
const say = (line: object) => fs.appendFileSync(path.join(folder, "cases.jsonl"), `${JSON.stringify(line)}\n`);

for (const { name, run } of KINDS[kind]!()) {
  say({ begins: name });
  const start = performance.now();
  let told = "";
  try {
    await run();
  } catch (error) {
    told = formatError(error, false);
  }
  say({ name, ms: Math.round(performance.now() - start), told });
}
say({ done: true });
process.exit(0);
