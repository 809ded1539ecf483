import fs from "node:fs";
import path from "node:path";
import { writeFileAtomic } from "../files/atomic.js";
import { explainDiskError } from "../files/disk.js";

/** One completion as it was trained on. Further columns (dataset row, token counts) may follow. */
export interface CompletionRow {
  step: number;
  prompt: string;
  completion: string;
  /** Reward by function name, before weighting; null where the function skipped this one. */
  rewards: Record<string, number | null>;
  advantage: number;
  [column: string]: unknown;
}

const STEP_FILE = /^step-(\d+)\.jsonl$/;

/** Every completion of a run: `<run>/completions/step-000012.jsonl`, one JSON object per completion, atomic per step. */
export class CompletionsLog {
  private constructor(
    readonly folder: string,
    private readonly beforeWrite: () => void,
  ) {}

  /**
   * @param options.resumeAtStep removes the files of later steps: 0 starts anew, absent keeps all
   * @param options.beforeWrite throws if the folder is no longer this run's
   */
  static open(runDir: string, options: { resumeAtStep?: number; beforeWrite?: () => void } = {}): CompletionsLog {
    const folder = path.join(runDir, "completions");
    const lastStep = options.resumeAtStep ?? Number.POSITIVE_INFINITY;
    try {
      fs.mkdirSync(folder, { recursive: true });
      for (const name of fs.readdirSync(folder)) {
        const match = STEP_FILE.exec(name);
        const leftover = match === null ? name.startsWith(".tmp-") : Number(match[1]) > lastStep;
        if (leftover) fs.rmSync(path.join(folder, name));
      }
    } catch (error) {
      throw explainDiskError(error, `open ${folder}`, runDir);
    }
    return new CompletionsLog(folder, options.beforeWrite ?? (() => {}));
  }

  pathOf(step: number): string {
    return path.join(this.folder, `step-${String(step).padStart(6, "0")}.jsonl`);
  }

  write(step: number, rows: readonly CompletionRow[]): void {
    this.beforeWrite();
    writeFileAtomic(this.pathOf(step), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  }
}
