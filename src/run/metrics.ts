import fs from "node:fs";
import path from "node:path";
import { UserError } from "../errors.js";
import { writeAll, writeFileAtomic } from "../files/atomic.js";
import { explainDiskError } from "../files/disk.js";

export const METRICS_FILE = "metrics.jsonl";

/** Fields measured on the machine rather than computed: the only ones that differ between a run and its repetition. */
export const TIMING_FIELDS: readonly string[] = [
  "timestamp",
  "step_time",
  "elapsed",
  "tokens_per_second",
  "samples_per_second",
  "memory_bytes",
];
/** The same for whole families: every field whose name starts with one of these. */
export const TIMING_PREFIXES: readonly string[] = ["time/", "memory/"];

/** One line of metrics.jsonl: the step (1 = after the first optimizer step) and TRL's metric names. */
export interface MetricsRow {
  step: number;
  [metric: string]: number | string | boolean | null;
}

export function isTimingField(name: string): boolean {
  return TIMING_FIELDS.includes(name) || TIMING_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** A row without what was measured on the machine: equal between a run and its repetition. */
export function withoutTiming(row: MetricsRow): MetricsRow {
  const kept = Object.entries(row).filter(([name]) => !isTimingField(name));
  return { ...Object.fromEntries(kept), step: row.step };
}

/**
 * The metrics of a run, one JSON object per line, appended as they come: a kill loses at most a torn last line.
 * After a resume from step s the file holds the steps ≤ s, so the finished file equals an uninterrupted run's.
 */
export class MetricsLog {
  private constructor(
    readonly path: string,
    private readonly fd: number,
    private readonly beforeWrite: () => void,
  ) {}

  /**
   * Opens for appending; creates the file and its folder if needed.
   * @param options.resumeAtStep drops rows after this step: 0 starts anew, absent keeps all but a torn last line
   * @param options.beforeWrite throws if the folder is no longer this run's
   * @throws UserError if a row other than the last cannot be read, or the file cannot be written
   */
  static open(file: string, options: { resumeAtStep?: number; beforeWrite?: () => void } = {}): MetricsLog {
    try {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      if (fs.existsSync(file)) cut(file, options.resumeAtStep ?? Number.POSITIVE_INFINITY);
      return new MetricsLog(file, fs.openSync(file, "a"), options.beforeWrite ?? (() => {}));
    } catch (error) {
      throw explainDiskError(error, `open ${file}`, path.dirname(file));
    }
  }

  /** Appends a row; it survives a kill of this process at once, a power cut after `sync`. */
  append(row: MetricsRow): void {
    this.#assertThere();
    this.beforeWrite();
    try {
      writeAll(this.fd, Buffer.from(`${JSON.stringify(row)}\n`));
    } catch (error) {
      throw explainDiskError(error, `write ${this.path}`, path.dirname(this.path));
    }
  }

  /** Forces all rows to the disk. Call it before a checkpoint is saved: its rows must not be younger than it. */
  sync(): void {
    fs.fsyncSync(this.fd);
  }

  close(): void {
    fs.closeSync(this.fd);
  }

  /** An open file can be written after its removal: rows would be lost without a word. */
  #assertThere(): void {
    if (fs.fstatSync(this.fd).nlink > 0) return;
    throw new UserError(
      `${this.path} was removed while the run was writing to it: run the same command again, it goes on from the last checkpoint there is`,
    );
  }
}

/** Reads a metrics file; a torn last line is left out. */
export function readMetrics(file: string): MetricsRow[] {
  return completeLines(file).map((line) => line.row);
}

function cut(file: string, lastStep: number): void {
  const kept = completeLines(file).filter((line) => line.row.step <= lastStep);
  const text = kept.map((line) => `${line.text}\n`).join("");
  if (Buffer.byteLength(text) !== fs.statSync(file).size) writeFileAtomic(file, text);
}

function completeLines(file: string): { text: string; row: MetricsRow }[] {
  const lines = fs.readFileSync(file, "utf8").split("\n");
  lines.pop(); // what follows the last newline: nothing, or the line a kill tore
  return lines.flatMap((text, index) => {
    const row = parseRow(text);
    if (row !== undefined) return [{ text, row }];
    // After a power cut the file's length may be on the disk before its bytes: a last line of zeros.
    if (index === lines.length - 1) return [];
    throw new UserError(`${file}, line ${index + 1}, is no metrics row: delete the line, or choose another output_dir`);
  });
}

function parseRow(text: string): MetricsRow | undefined {
  try {
    const row = JSON.parse(text);
    return typeof row?.step === "number" ? row : undefined;
  } catch {
    return undefined;
  }
}
