/** Datasets by name: a file, a folder, or a Hugging Face dataset. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join, relative, resolve, sep } from "node:path";
import { UserError } from "../errors.js";
import { type HubOptions, openHubRepo } from "../files/hub.js";
import { DATA_EXTENSIONS, isDataFile, readDataFile } from "./files.js";
import { placeOf, rowName, setPlace } from "./places.js";
import { selectFiles } from "./select.js";
import type { Dataset, Row } from "./types.js";

export interface DatasetOptions extends HubOptions {
  /** A data file, a folder of them, or "owner/name" on the Hugging Face Hub. */
  name: string;
  /** Named subset of a folder or repository. */
  config?: string | null;
  /** Default "train". A single file has no splits. */
  split?: string;
  /** Column names to use, to the names in the data: { problem: "question" }. The old name stays too. */
  columns?: Readonly<Record<string, string>>;
  /** Folder that relative paths start from. Default: the working directory. */
  baseDir?: string;
}

/**
 * Reads a whole dataset into memory.
 * @throws UserError for a name that leads nowhere, a file that cannot be read (with line or row), no rows, or a mapped
 *   column that a row lacks
 */
export async function loadDataset(options: DatasetOptions): Promise<Dataset> {
  const files = await findFiles(options);
  const rows: Row[] = [];
  for (const file of files) for (const row of await readDataFile(file)) rows.push(row);
  if (rows.length === 0) throw new UserError(`dataset ${options.name} has no rows (${files.join(", ")})`);
  const mapped = mapColumns(rows, options.columns ?? {});
  return { name: options.name, files, rows: mapped, columns: columnsOf(mapped) };
}

async function findFiles(options: DatasetOptions): Promise<string[]> {
  const { name, config, split = "train", baseDir = process.cwd() } = options;
  const path = resolve(baseDir, name);
  if (existsSync(path)) {
    return statSync(path).isDirectory() ? findInFolder(path, { name, config, split }) : [path];
  }
  if (isDataFile(name) || /^[./~]/.test(name) || !/^[\w.-]+\/[\w.-]+$|^[\w.-]+$/.test(name)) {
    const kinds = `a ${DATA_EXTENSIONS.join(", ")} file, a folder, or a dataset's name on the Hugging Face Hub`;
    throw new UserError(`no dataset ${path}: give ${kinds}`);
  }
  const snapshot = await openHubRepo({ type: "dataset", name }, options);
  const readme = snapshot.paths.includes("README.md")
    ? readFileSync(await snapshot.file("README.md"), "utf8")
    : undefined;
  const files: string[] = [];
  for (const chosen of selectFiles(snapshot.paths, readme, { name, config, split }))
    files.push(await snapshot.file(chosen));
  return files;
}

function findInFolder(folder: string, wanted: { name: string; config?: string | null; split: string }): string[] {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && (extname(entry.name) !== "" || entry.name === "README.md"))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"));
  const readme = paths.includes("README.md") ? readFileSync(join(folder, "README.md"), "utf8") : undefined;
  return selectFiles(paths, readme, wanted).map((path) => join(folder, path));
}

function mapColumns(rows: Row[], columns: Readonly<Record<string, string>>): Row[] {
  const entries = Object.entries(columns).filter(([wanted, actual]) => wanted !== actual);
  if (entries.length === 0) return rows;
  return rows.map((row, index) => {
    const copy: Row = { ...row };
    for (const [wanted, actual] of entries) {
      if (!Object.hasOwn(row, actual)) throw missingColumn(row, index, actual, `mapped to "${wanted}"`);
      copy[wanted] = row[actual];
    }
    return setPlace(copy, placeOf(row));
  });
}

/** The error for a row without a column that is needed. */
export function missingColumn(row: Row, index: number, column: string, purpose: string): UserError {
  return new UserError(
    `${rowName(row, index)} has no column "${column}" (${purpose}); it has: ${Object.keys(row).join(", ") || "none"}`,
  );
}

function columnsOf(rows: readonly Row[]): string[] {
  const columns = new Set<string>();
  for (const row of rows) for (const column of Object.keys(row)) columns.add(column);
  return [...columns];
}
