/** Recipe file + command line → a resolved recipe: every key with its value, or one clear error. */
import { dirname } from "node:path";
import type { z } from "zod";
import { UserError } from "../errors.js";
import { findGrpoProblem, findSftProblem, type Problem } from "./check.js";
import { KEY_OF_THAT_TIME, OPEN_RS_DEFAULTS } from "./defaults.js";
import { show } from "./describe.js";
import { ALIASES, GENERATION_KWARGS, INERT, UNSUPPORTED } from "./foreign.js";
import { idleKeys } from "./idle.js";
import { refuse, subject } from "./issues.js";
import { suggestion } from "./nearest.js";
import { applyOverrides } from "./overrides.js";
import { absoluteRewards } from "./rewards.js";
import { GRPO, type GrpoRecipe, type RecipeKind, SFT, type SftRecipe } from "./schema.js";
import { type Entries, type Entry, entriesOf, readRecipe } from "./source.js";

export interface Resolved<T> {
  recipe: T;
  /** Keys that the file or the command line gives, in our spelling. */
  stated: ReadonlySet<string>;
  /** Keys given that have no effect here, with the reason. */
  inert: ReadonlyMap<string, string>;
  /** Things a reader of the recipe should know. */
  notes: readonly string[];
}

type Fields = Readonly<Record<string, z.ZodType>>;

/** Replaces other spellings by ours. */
function rewrite(entries: Entries, fields: Fields): Entries {
  const result: Entries = new Map();
  for (const [name, entry] of entries) {
    const alias = name in fields ? undefined : ALIASES[name];
    const values = alias ? alias.rewrite(entry.value) : { [name]: entry.value };
    for (const [key, value] of Object.entries(values)) {
      const before = result.get(key);
      const fromCommandLine = entry.key.startsWith("--");
      if (before && before.key.startsWith("--") === fromCommandLine)
        throw new UserError(`${entry.key}: ${name} says again what ${before.key} says (${key}); keep one`);
      if (!before || fromCommandLine) result.set(key, { ...entry, value });
    }
  }
  return result;
}

/** Takes foreign keys out and returns those without effect; refuses what would change the training. */
function takeForeign(entries: Entries, kind: RecipeKind<unknown>, otherFields: Fields): Map<string, string> {
  const inert = new Map<string, string>();
  for (const [key, entry] of [...entries]) {
    if (key in kind.fields) continue;
    const neutral = UNSUPPORTED.get(key);
    const reason = INERT.get(key) ?? (key in otherFields ? `${kind.name} does not use it` : undefined);
    if (key === "generation_kwargs" && !isEmpty(entry.value)) throw new UserError(unknownGeneration(entry, key));
    if (neutral && !neutral.includes(entry.value) && !isEmpty(entry.value))
      throw new UserError(`${subject(entry.at([]), key)} ${show(entry.value)} is not supported: ${remedy(neutral)}`);
    if (!neutral && reason === undefined) {
      const known = [...Object.keys(kind.fields), ...Object.keys(ALIASES), ...INERT.keys(), ...UNSUPPORTED.keys()];
      const named = entry.key.startsWith("--") ? "" : ` ${key}`;
      throw new UserError(`${entry.key}: unknown key${named}${suggestion(key, known)}`);
    }
    inert.set(key, reason ?? "this value is the only one supported");
    entries.delete(key);
  }
  return inert;
}

function unknownGeneration({ value, at }: Entry, key: string): string {
  const takes = Object.keys(GENERATION_KWARGS);
  const names = typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  const wrong = names.length > 0 ? `has no ${names.join(", ")}` : `is a map, not ${show(value)}`;
  return `${subject(at([]), key)} ${wrong}${names[0] ? suggestion(names[0], takes) : ""}; it takes ${takes.join(", ")}`;
}

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === "object" && Object.keys(value).length === 0);
}

function remedy(neutral: readonly unknown[]): string {
  const values = neutral.filter((value) => value !== null).map(String);
  return values.length === 0 ? "remove it" : `remove it or write ${values.join(" or ")}`;
}

function validate<T>(entries: Entries, kind: RecipeKind<T>, defaults: object, origin: string | undefined): T {
  const given = Object.fromEntries([...entries].map(([key, { value }]) => [key, value]));
  const result = kind.schema.safeParse({ ...defaults, ...given });
  if (!result.success) refuse(result.error.issues, entries, kind.fields, origin);
  return result.data;
}

function raise(problem: Problem | undefined, entries: Entries, origin: string | undefined): void {
  if (!problem) return;
  const place = entries.get(problem.key)?.at([]) ?? origin;
  throw new UserError(`${place === undefined ? problem.key : subject(place, problem.key)}: ${problem.message}`);
}

interface Input {
  entries: Entries;
  /** Names the recipe in errors that have no place in it; undefined: there is none but the command line. */
  origin: string | undefined;
}

function input(file: string | undefined, words: readonly string[], fields: Fields): Input {
  const entries = applyOverrides(file === undefined ? new Map() : readRecipe(file), words, fields);
  return { entries, origin: file };
}

function resolveGrpo({ entries: given, origin }: Input): Resolved<GrpoRecipe> {
  const ofThatTime = given.has(KEY_OF_THAT_TIME);
  const entries = rewrite(given, GRPO.fields);
  const inert = takeForeign(entries, GRPO, SFT.fields);
  const choice = entries.get("trl_defaults")?.value ?? "auto";
  const old = choice === "open-rs" || (choice === "auto" && ofThatTime);
  const recipe = validate(entries, GRPO, { ...(old ? OPEN_RS_DEFAULTS : {}), ...forced(entries) }, origin);
  raise(findGrpoProblem(recipe), entries, origin);
  const stated = new Set(entries.keys());
  const notes = old ? oldDefaultsNotes(recipe, stated, ofThatTime && choice === "auto") : [];
  const reward_funcs = absoluteRewards(recipe.reward_funcs, folderOf(entries, origin));
  return {
    recipe: { ...recipe, reward_funcs, trl_defaults: old ? "open-rs" : "current" },
    stated,
    inert: new Map([...inert, ...idleKeys(recipe, stated)]),
    notes,
  };
}

/** A file names a dtype for the machine it was written on; who gives --dtype means this one. */
const forced = (entries: Entries) => (entries.get("dtype")?.key.startsWith("--") ? { force_dtype: true } : {});

/** Where relative reward files start: the recipe's folder, for those of the command line the working folder. */
function folderOf(entries: Entries, origin: string | undefined): string {
  const fromFile = origin !== undefined && entries.get("reward_funcs")?.key.startsWith(`${origin}:`);
  return fromFile ? dirname(origin) : process.cwd();
}

function oldDefaultsNotes(recipe: GrpoRecipe, stated: ReadonlySet<string>, detected: boolean): string[] {
  const filled = Object.entries(OPEN_RS_DEFAULTS).filter(([key]) => !stated.has(key));
  const why = detected
    ? ` (${KEY_OF_THAT_TIME} is a key that only that TRL knew; --trl_defaults current for today's)`
    : "";
  const list = filled.map(([key, value]) => `${key} ${value}`).join(", ");
  const notes = [`what the recipe leaves out follows the TRL that open-rs pinned${why}: ${list}`];
  if (!stated.has("num_processes"))
    notes.push(
      `num_processes is ${recipe.num_processes}; open-rs launched 3 training processes: --num_processes 3 for its batch`,
    );
  return notes;
}

function resolveSft({ entries: given, origin }: Input): Resolved<SftRecipe> {
  const entries = rewrite(given, SFT.fields);
  const inert = takeForeign(entries, SFT, GRPO.fields);
  const recipe = validate(entries, SFT, forced(entries), origin);
  raise(findSftProblem(recipe), entries, origin);
  return { recipe, stated: new Set(entries.keys()), inert, notes: [] };
}

/**
 * @param file a YAML recipe, or undefined for the command line alone
 * @param overrides words of the command line: ["--max_steps", "2", "--lr_scheduler_kwargs.min_lr_rate=0.1"]
 * @throws UserError naming file:line:col (or --key), what is there and what the key takes
 */
export function loadGrpoRecipe(file: string | undefined, overrides: readonly string[] = []): Resolved<GrpoRecipe> {
  return resolveGrpo(input(file, overrides, GRPO.fields));
}

/** As {@link loadGrpoRecipe}, for supervised fine-tuning. */
export function loadSftRecipe(file: string | undefined, overrides: readonly string[] = []): Resolved<SftRecipe> {
  return resolveSft(input(file, overrides, SFT.fields));
}

/** A recipe from values in code; `origin` names them in errors. */
export function resolveGrpoRecipe(values: Readonly<Record<string, unknown>>, origin = "recipe"): Resolved<GrpoRecipe> {
  return resolveGrpo({ entries: entriesOf(values, origin), origin });
}

export function resolveSftRecipe(values: Readonly<Record<string, unknown>>, origin = "recipe"): Resolved<SftRecipe> {
  return resolveSft({ entries: entriesOf(values, origin), origin });
}
