import { createHash } from "node:crypto";
import { loadDataset } from "../data/index.js";
import { UserError } from "../errors.js";
import { loadConfig, type ModelConfig } from "../model/index.js";
import type { SftRecipe } from "../recipe/index.js";
import { loadTokenizer, type Tokenizer } from "../text/index.js";
import { templateOf } from "../training/template.js";
import { makeExamples } from "./examples.js";
import { packBestFit } from "./packing.js";
import type { Example } from "./types.js";

/** What a run learns from, ready and checked. */
export interface SftData {
  tokenizer: Tokenizer;
  /** What the batch counts: one example each, or with packing several. */
  rows: Example[][];
  /** Of the test split; empty without evaluation. */
  evaluation: Example[];
  /** Tokens of the longest example. */
  longest: number;
  /** Of the examples, in order: a resumed run must see the same ones. */
  fingerprint: string;
}

type Log = (line: string) => void;

/** @throws UserError for whatever is wrong with dataset, template or tokenizer, before the run folder is touched */
export async function loadSftData(recipe: SftRecipe, modelFolder: string, log: Log): Promise<SftData> {
  const config = loadConfig(modelFolder);
  const tokenizer = loadTokenizer(modelFolder, { chatTemplate: templateOf(recipe) });
  const load = (split: string) => loadExamples(recipe, split, tokenizer, config, log);
  const examples = await load(recipe.dataset_train_split);
  const evaluates = recipe.eval_strategy !== "no" || recipe.eval_on_start;
  return {
    tokenizer,
    rows: recipe.packing ? pack(examples, recipe.max_length ?? 0, log) : examples.map((example) => [example]),
    evaluation: evaluates ? await load(recipe.dataset_test_split) : [],
    longest: examples.reduce((longest, { ids }) => Math.max(longest, ids.length), 0),
    fingerprint: fingerprintOf(examples),
  };
}

async function loadExamples(
  recipe: SftRecipe,
  split: string,
  tokenizer: Tokenizer,
  config: ModelConfig,
  log: Log,
): Promise<Example[]> {
  const { rows } = await loadDataset({
    name: recipe.dataset_name,
    columns: recipe.column_mapping,
    revision: recipe.dataset_revision,
    split,
    log,
    ...(recipe.dataset_config === null ? {} : { config: recipe.dataset_config }),
  });
  const { examples, cut, dropped } = makeExamples(rows, { tokenizer, keys: recipe, maxPositions: config.maxPositions });
  if (cut + dropped > 0) {
    const limit = Math.min(recipe.max_length ?? Number.POSITIVE_INFINITY, config.maxPositions);
    log(
      `${cut} of ${rows.length} examples (${split}) were cut to ${limit} tokens, ${dropped} left out: nothing to learn`,
    );
  }
  checkVocabulary(examples, config, recipe.model_name_or_path);
  return examples;
}

function checkVocabulary(examples: readonly Example[], { vocabSize }: ModelConfig, model: string): void {
  const highest = examples.reduce((max, { ids }) => ids.reduce((a, b) => Math.max(a, b), max), 0);
  if (highest < vocabSize) return;
  throw new UserError(
    `${model}: the tokenizer writes token ${highest}, the model knows ${vocabSize}: they do not belong together`,
  );
}

function pack(examples: readonly Example[], maxLength: number, log: Log): Example[][] {
  const lengths = examples.map(({ ids }) => ids.length);
  const bins = packBestFit(lengths, maxLength).map((bin) => bin.map((index) => examples[index]!));
  const tokens = lengths.reduce((a, b) => a + b, 0);
  const filled = ((100 * tokens) / (bins.length * maxLength)).toFixed(1);
  log(`packing: ${examples.length} examples in ${bins.length} rows of ${maxLength} tokens, ${filled} % filled`);
  return bins;
}

function fingerprintOf(examples: readonly Example[]): string {
  const hash = createHash("sha256");
  for (const { ids, from } of examples) hash.update(`${ids.length},${from}:`).update(Int32Array.from(ids));
  return hash.digest("hex").slice(0, 16);
}
