/** One data file, by its extension: .jsonl (.ndjson), .json (an array, or JSON Lines), .parquet. */
import { createReadStream, existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { UserError } from "../errors.js";
import { assertRegularFile } from "../files/regular.js";
import { readJsonLines } from "./jsonl.js";
import { readParquet } from "./parquet.js";
import { setPlace } from "./places.js";
import type { Row } from "./types.js";

/** In order of preference where a folder holds the same data twice. */
export const DATA_EXTENSIONS: readonly string[] = [".parquet", ".jsonl", ".ndjson", ".json"];

export function isDataFile(path: string): boolean {
  return DATA_EXTENSIONS.includes(extname(path).toLowerCase());
}

/** @throws UserError with file and line or row number for whatever is not a table of named columns */
export async function readDataFile(path: string): Promise<Row[]> {
  if (!existsSync(path)) throw new UserError(`no data file ${path}`);
  assertRegularFile(path);
  const extension = extname(path).toLowerCase();
  if (extension === ".parquet") return numbered(await readParquet(path), path);
  if (extension === ".json" && (await firstCharacter(path)) === "[") return numbered(await readJsonArray(path), path);
  if (isDataFile(path)) return readLines(path);
  throw new UserError(`${path}: unknown kind of data file "${extension}"; there are ${DATA_EXTENSIONS.join(", ")}`);
}

async function readLines(path: string): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const { value, line } of readJsonLines(path)) rows.push(setPlace(value, `${basename(path)}:${line}`));
  return rows;
}

function numbered(rows: Row[], path: string): Row[] {
  return rows.map((row, i) => setPlace(row, `${basename(path)} row ${i + 1}`));
}

async function readJsonArray(path: string): Promise<Row[]> {
  let value: unknown;
  try {
    value = JSON.parse((await readFile(path, "utf8")).replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new UserError(`${path}: not JSON: ${(error as Error).message}`);
  }
  const items = value as unknown[];
  const wrong = items.findIndex((item) => typeof item !== "object" || item === null || Array.isArray(item));
  if (wrong >= 0) throw new UserError(`${path}: element ${wrong + 1} is not an object with named columns`);
  return items as Row[];
}

async function firstCharacter(path: string): Promise<string | undefined> {
  for await (const chunk of createReadStream(path, { encoding: "utf8", end: 4096 })) {
    return String(chunk).replace(/^[\uFEFF\s]+/, "")[0];
  }
  return undefined;
}
