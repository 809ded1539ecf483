/**
 * Which files of a folder or a Hugging Face repository are a dataset's configuration and split: what the `configs` of
 * its README.md say, else what the paths say (`config/…`, `…train-00000-of-00001.parquet`), as the datasets library reads them.
 */
import { extname } from "node:path";
import { parse } from "yaml";
import { UserError } from "../errors.js";
import { DATA_EXTENSIONS, isDataFile } from "./files.js";

export interface Selection {
  /** The dataset's name, for messages. */
  name: string;
  config?: string | null;
  split: string;
}

const SPLITS: Readonly<Record<string, readonly string[]>> = {
  train: ["train", "training"],
  validation: ["validation", "valid", "val", "dev"],
  test: ["test", "testing", "eval", "evaluation"],
};

interface ReadmeConfig {
  config_name: string;
  default?: boolean;
  /** Patterns of each split; "train" where the README names no split. */
  files: { split: string; patterns: string[] }[];
}

/**
 * @param paths all files, relative, with "/"
 * @param readme text of README.md, if there is one
 * @returns the chosen paths, sorted
 * @throws UserError that lists what there is when the configuration or the split is not there
 */
export function selectFiles(paths: readonly string[], readme: string | undefined, wanted: Selection): string[] {
  const data = paths.filter((path) => isDataFile(path) && !isMetadata(path));
  if (data.length === 0) {
    throw new UserError(`dataset ${wanted.name} holds no data file (${DATA_EXTENSIONS.join(", ")})`);
  }
  const configs = readmeConfigs(readme);
  const chosen = configs.length > 0 ? byReadme(data, configs, wanted) : byPath(data, wanted);
  return oneFormat(chosen).sort();
}

function isMetadata(path: string): boolean {
  return path.split("/").some((part) => part.startsWith(".")) || /(^|\/)dataset_infos?\.json$/.test(path);
}

function oneFormat(paths: readonly string[]): string[] {
  for (const extension of DATA_EXTENSIONS) {
    const same = paths.filter((path) => extname(path).toLowerCase() === extension);
    if (same.length > 0) return same;
  }
  return [];
}

// ---- by the README ----

function readmeConfigs(readme: string | undefined): ReadmeConfig[] {
  const header = /^---\r?\n(.*?)\r?\n---/s.exec(readme ?? "")?.[1];
  if (header === undefined) return [];
  let configs: unknown;
  try {
    configs = (parse(header) as { configs?: unknown } | null)?.configs;
  } catch {
    // A README need not be valid YAML to be a README: the paths decide then.
    return [];
  }
  return (Array.isArray(configs) ? configs : []).map(readmeConfig).filter((config) => config.files.length > 0);
}

function readmeConfig(entry: { config_name?: unknown; default?: unknown; data_files?: unknown }): ReadmeConfig {
  const list = Array.isArray(entry.data_files) ? entry.data_files : [entry.data_files];
  const patternsOf = (value: unknown): string[] =>
    (Array.isArray(value) ? value : [value]).filter((p) => typeof p === "string");
  const files = list
    .filter((item) => item !== undefined && item !== null)
    .map((item) =>
      typeof item === "string"
        ? { split: "train", patterns: [item] }
        : { split: String(item.split ?? "train"), patterns: patternsOf(item.path) },
    );
  return { config_name: String(entry.config_name ?? "default"), default: entry.default === true, files };
}

function byReadme(data: readonly string[], configs: readonly ReadmeConfig[], wanted: Selection): string[] {
  const config = !wanted.config
    ? (configs.find((c) => c.default) ?? configs.find((c) => c.config_name === "default") ?? onlyOne(configs))
    : configs.find((c) => c.config_name === wanted.config);
  if (config === undefined)
    throw noSuch(
      wanted,
      "dataset_config",
      wanted.config,
      configs.map((c) => c.config_name),
    );
  const patterns = config.files.filter((file) => file.split === wanted.split).flatMap((file) => file.patterns);
  const chosen = data.filter((path) => patterns.some((pattern) => globToRegExp(pattern).test(path)));
  if (chosen.length === 0)
    throw noSuch(
      wanted,
      "split",
      wanted.split,
      config.files.map((file) => file.split),
    );
  return chosen;
}

function onlyOne<T>(items: readonly T[]): T | undefined {
  return items.length === 1 ? items[0] : undefined;
}

function globToRegExp(pattern: string): RegExp {
  const source = pattern
    .replace(/^\.\//, "")
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*\*\/?|\*|\?/g, (wild) => (wild === "?" ? "[^/]" : wild === "*" ? "[^/]*" : ".*"));
  return new RegExp(`^${source}$`);
}

// ---- by the paths ----

function byPath(data: readonly string[], wanted: Selection): string[] {
  const inConfig = !wanted.config ? data : data.filter((path) => path.split("/").includes(wanted.config ?? ""));
  if (inConfig.length === 0) {
    const folders = data.filter((path) => path.includes("/")).map((path) => path.split("/")[0]);
    throw noSuch(wanted, "dataset_config", wanted.config, folders);
  }
  const bySplit = inConfig.map((path) => ({ path, split: splitOf(path, wanted.split) }));
  const named = bySplit.filter(({ split }) => split !== undefined);
  // Files that name no split are the training data, as in the datasets library.
  if (named.length === 0 && wanted.split === "train") return [...inConfig];
  const chosen = named.filter(({ split }) => split === wanted.split).map(({ path }) => path);
  if (chosen.length > 0) return chosen;
  throw noSuch(wanted, "split", wanted.split, named.length > 0 ? named.map(({ split }) => split ?? "") : ["train"]);
}

function splitOf(path: string, wanted: string): string | undefined {
  const candidates = Object.entries({ [wanted]: [wanted], ...SPLITS });
  return candidates.find(([, words]) =>
    new RegExp(`(^|[/_.-])(${words.map(escapeRegExp).join("|")})[/_.-]`, "i").test(path),
  )?.[0];
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function noSuch(wanted: Selection, key: string, value: string | null | undefined, known: readonly string[]): UserError {
  const list = [...new Set(known)].join(", ") || "none";
  const asked = !value ? `needs a ${key}` : `has no ${key} "${value}"`;
  return new UserError(`dataset ${wanted.name} ${asked}: there are ${list}`);
}
