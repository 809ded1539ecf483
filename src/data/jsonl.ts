/** JSON Lines: one object per line, blank lines skipped, errors with file and line. */
import { createReadStream } from "node:fs";
import { readProblem, UserError } from "../errors.js";
import type { Row } from "./types.js";

export interface JsonLine {
  value: Row;
  /** 1-based. */
  line: number;
}

/** Yields the lines of a file as objects. @throws UserError for a missing file or a line that is not a JSON object. */
export async function* readJsonLines(path: string): AsyncGenerator<JsonLine> {
  let line = 0;
  for await (const text of fileLines(path)) {
    line += 1;
    const content = line === 1 ? text.replace(/^\uFEFF/, "") : text;
    if (content.trim() !== "") yield { value: parseLine(content, path, line), line };
  }
}

/** Lines end in "\n" alone: node:readline would also split at U+2028, which JSON texts may hold. */
async function* fileLines(path: string): AsyncGenerator<string> {
  let rest = "";
  try {
    for await (const chunk of createReadStream(path, { encoding: "utf8" })) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${readProblem(error)}`);
  }
  if (rest !== "") yield rest;
}

function parseLine(text: string, path: string, line: number): Row {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path}:${line}: not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UserError(`${path}:${line}: expected a JSON object with named columns, found ${describe(value)}`);
  }
  return value as Row;
}

function describe(value: unknown): string {
  return Array.isArray(value) ? "an array" : value === null ? "null" : `a ${typeof value}`;
}
