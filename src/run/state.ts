import fs from "node:fs";
import path from "node:path";
import type { z } from "zod";
import { UserError } from "../errors.js";
import { writeFileAtomic } from "../files/atomic.js";

/**
 * The trainer's plain state beside the weights: step, epoch, data order, RNG states, counters.
 * JSON, exact: finite doubles survive JSON as they are; bytes, bigints, NaN, ±Infinity and −0 are tagged.
 */
export const TRAINER_STATE_FILE = "trainer_state.json";

/** Raised when the layout of a state changes so that an older one cannot be read. */
const VERSION = 1;

/** Writes `state` into a checkpoint's folder. */
export function saveTrainerState<T extends { step: number }>(folder: string, state: T): void {
  const text = JSON.stringify({ version: VERSION, state }, encode, 2);
  writeFileAtomic(path.join(folder, TRAINER_STATE_FILE), `${text}\n`);
}

/**
 * Reads what `saveTrainerState` wrote; `shape` is what it must at least hold.
 * @throws UserError if it is missing, not JSON, or of another version
 */
export function loadTrainerState<T extends { step: number }>(folder: string, shape?: z.ZodType): T {
  const file = path.join(folder, TRAINER_STATE_FILE);
  if (!fs.existsSync(file)) throw new UserError(`${folder} cannot be resumed from: it has no ${TRAINER_STATE_FILE}`);
  let parsed: { version?: unknown; state?: T };
  try {
    parsed = JSON.parse(fs.readFileSync(file, "utf8"), decode);
  } catch (error) {
    throw new UserError(`${file} is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (parsed?.version !== VERSION || parsed.state === undefined) {
    throw new UserError(
      `${file} has version ${parsed?.version}, this open-rs reads version ${VERSION}: start a new run`,
    );
  }
  const wrong = shape?.safeParse(parsed.state).error?.issues[0];
  if (wrong !== undefined) {
    const where = ["state", ...wrong.path.map(String)].join(".");
    throw new UserError(
      `${file}: ${where}: ${wrong.message}: the checkpoint is damaged; delete it to go on from the one before, or choose another output_dir`,
    );
  }
  return parsed.state;
}

/** JSON.stringify hands over a value after its toJSON; `this[key]` is still the value itself (Buffer has a toJSON). */
function encode(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key];
  if (original instanceof Uint8Array) return { $bytes: Buffer.from(original).toString("base64") };
  if (typeof original === "bigint") return { $bigint: original.toString() };
  if (typeof original === "number" && (!Number.isFinite(original) || Object.is(original, -0))) {
    return { $number: Object.is(original, -0) ? "-0" : String(original) };
  }
  return value;
}

function decode(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Object.keys(value).length !== 1) return value;
  if ("$bytes" in value && typeof value.$bytes === "string") return new Uint8Array(Buffer.from(value.$bytes, "base64"));
  if ("$bigint" in value && typeof value.$bigint === "string") return BigInt(value.$bigint);
  if ("$number" in value && typeof value.$number === "string") return Number(value.$number);
  return value;
}
