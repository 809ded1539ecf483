import {
  checkGolds,
  type Dataset,
  type GoldReport,
  loadDataset,
  makePrompts,
  type Prompt,
  type Row,
} from "../data/index.js";
import { UserError } from "../errors.js";
import { canParse } from "../math/index.js";
import type { GrpoRecipe } from "../recipe/index.js";
import type { Reward } from "../rewards/index.js";
import type { Tokenizer } from "../text/index.js";

interface PromptParts {
  tokenizer: Tokenizer;
  rewards: readonly Reward[];
  log: (line: string) => void;
}

/** The prompts of a run: to train on, and of the test split if the recipe evaluates (else null). */
export async function loadPrompts(
  recipe: GrpoRecipe,
  parts: PromptParts,
): Promise<{ train: Prompt[]; test: Prompt[] | null }> {
  const split = recipe.dataset_train_split;
  const dataset = await loadSplit(recipe, split);
  const train = promptsOf(dataset, recipe, split, parts);
  if (recipe.eval_strategy === "no" && !recipe.eval_on_start) return { train, test: null };
  const held = recipe.dataset_test_split;
  const heldOut = await loadSplit(recipe, held);
  if (held !== split && heldOut.files.join() === dataset.files.join()) throw new UserError(noTestSplit(recipe));
  return { train, test: promptsOf(heldOut, recipe, held, parts) };
}

const noTestSplit = ({ dataset_name, dataset_test_split: split }: GrpoRecipe): string =>
  `eval_strategy needs the split ${split}, and ${dataset_name} is one file without splits: put train.jsonl and ${split}.jsonl ` +
  "into a folder and give that as dataset_name, or set eval_strategy: no";

function loadSplit(recipe: GrpoRecipe, split: string): Promise<Dataset> {
  return loadDataset({
    name: recipe.dataset_name,
    columns: recipe.column_mapping,
    split,
    revision: recipe.dataset_revision,
    ...(recipe.dataset_config === null ? {} : { config: recipe.dataset_config }),
  });
}

function promptsOf(
  dataset: Dataset,
  recipe: GrpoRecipe,
  split: string,
  { tokenizer, rewards, log }: PromptParts,
): Prompt[] {
  const { rows, indices } = rewards.some((reward) => reward.needsGold)
    ? checkedRows(recipe, dataset.rows, split, log)
    : { rows: dataset.rows, indices: dataset.rows.map((_, index) => index) };
  const { prompts, dropped, cut } = makePrompts(rows, {
    tokenizer,
    indices,
    maxPromptLength: recipe.max_prompt_length,
    onLongPrompt: recipe.on_long_prompt,
    chatVariables: recipe.chat_template_kwargs,
    ...(recipe.dataset_prompt_column === null ? {} : { promptColumn: recipe.dataset_prompt_column }),
    ...(recipe.system_prompt === null ? {} : { systemPrompt: recipe.system_prompt }),
  });
  if (dropped + cut > 0) {
    log(
      `${dropped + cut} of ${rows.length} prompts (${split}) are longer than ${recipe.max_prompt_length} tokens: ${dropped} dropped, ${cut} cut`,
    );
  }
  return prompts;
}

function checkedRows(recipe: GrpoRecipe, rows: readonly Row[], split: string, log: (line: string) => void): GoldReport {
  const treatments = { drop: "drop", error: "error", score_1: "keep", null: "keep" } as const;
  const report = checkGolds(rows, canParse, {
    column: recipe.gold_column,
    treatment: treatments[recipe.gold_unparseable],
  });
  const count = report.unparseable.length;
  if (count > 0)
    log(
      `${count} of ${rows.length} gold answers (${split}) cannot be read (gold_unparseable: ${recipe.gold_unparseable})`,
    );
  if (report.rows.length === 0)
    throw new UserError(`no row of ${recipe.dataset_name} has a gold answer that can be read: set gold_column`);
  return report;
}
