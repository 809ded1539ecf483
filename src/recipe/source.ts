/** A recipe file as keys and values that know where they stand. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { isMap, isNode, isScalar, LineCounter, parseDocument, type YAMLMap } from "yaml";
import { readProblem, UserError } from "../errors.js";

type KeyPath = readonly PropertyKey[];

export interface Entry {
  value: unknown;
  /** "file:line:col" or "--key" of the value, or of a part of it. */
  at(path: KeyPath): string;
  /** Where the key stands. */
  key: string;
}

export type Entries = Map<string, Entry>;

/** The recipes that come with the package, by name: `open-rs train open-rs3` from anywhere. */
const PACKAGED = fileURLToPath(new URL("../../recipes/", import.meta.url));

/** The file of a recipe: `nameOrPath` itself if it exists, else the package's recipe of that name. */
export function recipeFile(nameOrPath: string): string {
  if (existsSync(nameOrPath)) return nameOrPath;
  const [, name] = /^(?:recipes\/)?([\w-]+)(?:\.yaml)?$/.exec(nameOrPath) ?? [];
  const packaged = name && path.join(PACKAGED, `${name}.yaml`);
  if (packaged && existsSync(packaged)) return packaged;
  const names = readdirSync(PACKAGED).map((file) => path.basename(file, ".yaml"));
  throw new UserError(`no recipe ${nameOrPath}: give a YAML file, or one of ours by name (${names.sort().join(", ")})`);
}

export function readRecipe(nameOrPath: string): Entries {
  const file = recipeFile(nameOrPath);
  try {
    return parseRecipe(readFileSync(file, "utf8"), file);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`the recipe ${file} cannot be read: ${readProblem(error)}`);
  }
}

/** @throws UserError with file:line:col for bad YAML, a repeated key, or a file that is no map. */
export function parseRecipe(content: string, file: string): Entries {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number | undefined) => {
    const { line, col } = lines.linePos(offset ?? 0);
    return `${file}:${line}:${col}`;
  };
  const problem = document.errors[0];
  if (problem) throw new UserError(`${place(problem.pos[0])}: ${problem.message.split("\n")[0]}`);
  const root = document.contents;
  if (root === null) return new Map();
  if (!isMap(root)) throw new UserError(`${file}:1:1: a recipe is a map of keys to values`);
  return new Map(root.items.map((pair) => entry(document, root, pair.key, place)));
}

function entry(
  document: ReturnType<typeof parseDocument>,
  root: YAMLMap,
  key: unknown,
  place: (offset: number | undefined) => string,
): [string, Entry] {
  const name = String(isScalar(key) ? key.value : key);
  const keyPlace = place(isNode(key) ? key.range?.[0] : undefined);
  const node = root.get(name, true);
  const value: unknown = isNode(node) ? node.toJS(document) : node;
  const at = (path: KeyPath) => {
    const part = document.getIn([name, ...path], true);
    return isNode(part) && part.range ? place(part.range[0]) : keyPlace;
  };
  return [name, { value, at, key: keyPlace }];
}

/** Entries for values given in code: `origin` names them in errors. */
export function entriesOf(values: Readonly<Record<string, unknown>>, origin: string): Entries {
  return new Map(Object.entries(values).map(([key, value]) => [key, { value, at: () => origin, key: origin }]));
}
