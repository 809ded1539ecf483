/** Parquet files, nested columns included, as rows of plain JSON values. */
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { UserError } from "../errors.js";
import type { Row } from "./types.js";

/** @throws UserError when the file is no Parquet or is damaged */
export async function readParquet(path: string): Promise<Row[]> {
  try {
    const file = await asyncBufferFromFile(path);
    const rows = await parquetReadObjects({ file, compressors });
    return rows.map((row) => plain(row) as Row);
  } catch (error) {
    throw new UserError(`${path} cannot be read as Parquet: ${(error as Error).message}. Copy or download it again.`);
  }
}

/** 64-bit integers become numbers (text beyond 2⁵³), dates ISO text, typed arrays lists. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array || value === null || typeof value !== "object") return value ?? null;
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as Iterable<unknown>, plain);
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
