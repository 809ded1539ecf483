/** JSON Lines: one object per line, blank lines skipped, errors with file and line. */
import { createReadStream } from "node:fs";
import { readProblem, shortened, UserError } from "../errors.js";
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

/** Longer ones exceed what a string of V8's holds. */
const MOST_CHARACTERS = 2 ** 28;

/**
 * Lines end in "\n" alone: node:readline would also split at U+2028, which JSON texts may hold. A line's pieces are joined once, at its
 * end: a line of 50 MB comes in 800 of them.
 */
async function* fileLines(path: string): AsyncGenerator<string> {
  let pieces: string[] = [];
  let length = 0;
  let line = 1;
  const keep = (piece: string): void => {
    length += piece.length;
    if (length > MOST_CHARACTERS) {
      throw new UserError(
        `${path}:${line}: the line has more than ${MOST_CHARACTERS} characters: split it, or leave it out`,
      );
    }
    pieces.push(piece);
  };
  try {
    for await (const chunk of createReadStream(path, { encoding: "utf8" })) {
      const [first = "", ...others] = String(chunk).split("\n");
      keep(first);
      for (const next of others) {
        yield pieces.join("");
        line += 1;
        pieces = [];
        length = 0;
        keep(next);
      }
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path} cannot be read: ${readProblem(error)}`);
  }
  if (length > 0) yield pieces.join("");
}

function parseLine(text: string, path: string, line: number): Row {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path}:${line}: not JSON: ${shortened((error as Error).message)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UserError(`${path}:${line}: expected a JSON object with named columns, found ${describe(value)}`);
  }
  return value as Row;
}

function describe(value: unknown): string {
  return Array.isArray(value) ? "an array" : value === null ? "null" : `a ${typeof value}`;
}
