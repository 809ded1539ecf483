/** Whether a run may go on with another recipe than it began with: what changed, and what that means. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import type { z } from "zod";
import { GRPO, SFT } from "../recipe/index.js";
import { isUserRewardSpec } from "../rewards/user.js";

type Keys = Readonly<Record<string, unknown>>;

/** Contents of the reward files by their entry of reward_funcs, as SHA-256; entries that are no files are missing. */
export type RewardHashes = Readonly<Record<string, string>>;

/** What a run is, as its checkpoints keep it. */
export interface Began {
  recipe: Keys;
  /** Missing in checkpoints of earlier versions. */
  rewards?: RewardHashes | undefined;
}

export interface Changes {
  /** Keys that make it another run, "temperature was 1, is 0.5". */
  refused: string[];
  /** What is allowed and no longer bit for bit what it would have been, as one says it. */
  noted: string[];
}

/** Keys that may change when a run goes on: they do not enter the arithmetic. */
const FREE_KEYS: ReadonlySet<string> = new Set([
  "output_dir",
  "run_name",
  "overwrite_output_dir",
  "resume_from_checkpoint",
  "save_strategy",
  "save_steps",
  "save_total_limit",
  "save_only_model",
  "logging_steps",
  "logging_first_step",
  "log_completions",
  "num_completions_to_print",
  "eval_strategy",
  "eval_steps",
  "eval_on_start",
  "load_best_model_at_end",
  "num_generations_eval",
  "dataset_test_split",
  "merge_adapters",
  "max_tokens_per_micro_batch",
  "gradient_checkpointing",
  // A run keeps the precision it began with.
  "force_dtype",
  "reward_timeout",
  "reward_on_error",
]);

/** Keys whose change is allowed and said, with what it does from here on. */
const NOTED: Readonly<Record<string, string>> = {
  max_steps: "the learning rate follows the new length",
  num_train_epochs: "the learning rate follows the new length",
  threads: "sums may round differently",
  kv_cache_gib: "completions are drawn in another order",
  device: "sums round differently, and a GPU draws other random numbers",
};

/** Places of what the checkpoint's fingerprints identify: a folder that moved is the same data, the same model. */
const PLACES: ReadonlySet<string> = new Set(["model_name_or_path", "dataset_name", "chat_template_path"]);

const DEFAULTS: Keys = Object.fromEntries(
  Object.entries({ ...SFT.fields, ...GRPO.fields } as Record<string, z.ZodType>).flatMap(([key, field]) => {
    const parsed = field.safeParse(undefined);
    return parsed.success ? [[key, parsed.data]] : [];
  }),
);

export function rewardHashes(specs: readonly string[]): RewardHashes {
  const files = specs.filter(isUserRewardSpec);
  return Object.fromEntries(files.map((spec) => [spec, hashOf(readFileSync(spec.split("#")[0]!))]));
}

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export function changesBetween(before: Began, now: Began): Changes {
  const keys = [...new Set([...Object.keys(before.recipe), ...Object.keys(now.recipe)])];
  const changes: Changes = { refused: [], noted: [] };
  for (const key of keys.filter((each) => !FREE_KEYS.has(each))) judge(key, before, now, changes);
  return changes;
}

function judge(key: string, before: Began, now: Began, { refused, noted }: Changes): void {
  // A key that only a newer version knows had its default before; one that today's does not know has no effect.
  if (!(key in now.recipe)) return;
  const [old, own] = [key in before.recipe ? before.recipe[key] : DEFAULTS[key], now.recipe[key]];
  if (key === "reward_funcs" && rewardsAgree(before, now, noted)) return;
  if (JSON.stringify(old) === JSON.stringify(own)) return;
  const change = `${key} was ${JSON.stringify(old)}, is ${JSON.stringify(own)}`;
  const effect = NOTED[key];
  if (effect !== undefined) noted.push(`${change} (${effect})`);
  else if (!PLACES.has(key) || !isMoved(old, own)) refused.push(change);
}

/** Two paths that end in the same name; of two names on the hub none is a path. */
function isMoved(old: unknown, own: unknown): boolean {
  if (typeof old !== "string" || typeof own !== "string" || path.basename(old) !== path.basename(own)) return false;
  return [old, own].some((place) => path.isAbsolute(place) || place.startsWith("."));
}

/** Reward files are compared by what they hold; one that was edited in its place is the user's correction, and is said. */
function rewardsAgree(before: Began, now: Began, noted: string[]): boolean {
  const [old, own] = [before.recipe.reward_funcs, now.recipe.reward_funcs];
  if (!Array.isArray(old) || !Array.isArray(own) || old.length !== own.length) return false;
  const edited: string[] = [];
  const agree = old.every((spec: string, i) => {
    const other = own[i] as string;
    const [a, b] = [before.rewards?.[spec], now.rewards?.[other]];
    const nameOf = (each: string) => each.split("#")[1] ?? "";
    if (a !== undefined && a === b) return nameOf(spec) === nameOf(other);
    if (spec !== other && !(b !== undefined && isMoved(spec, other))) return false;
    if (a !== undefined && b !== undefined) edited.push(path.basename(other));
    return true;
  });
  if (agree && edited.length > 0) noted.push(`${edited.join(", ")} was edited (rewards before and after may differ)`);
  return agree;
}
