/** Which column of a row holds the gold answer, and which golds the verifier cannot read. */
import { UserError } from "../errors.js";
import { rowName } from "./places.js";
import type { Row } from "./types.js";

/** A column's name, or "auto": `solution` where it holds a \boxed answer or stands alone, else `answer`. */
export type GoldColumn = "auto" | (string & {});

function asText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "bigint" ? String(value) : undefined;
}

/**
 * The gold answer of a row, or undefined when the row has none.
 * The original always reads `solution`; where that is prose without \boxed (GSM8K's "#### 72"), Math-Verify finds
 * nothing in it and every completion would score 1, so "auto" then prefers `answer`.
 */
export function goldOf(row: Row, column: GoldColumn = "auto"): string | undefined {
  if (column !== "auto") return asText(row[column]);
  const solution = asText(row.solution);
  const answer = asText(row.answer);
  if (solution?.includes("\\boxed")) return solution;
  return answer ?? solution;
}

export type GoldTreatment = "keep" | "drop" | "error";

export interface GoldReport {
  /** The rows to train on, and the 0-based places they had. */
  rows: Row[];
  indices: number[];
  /** 0-based indices, in the given rows, of golds the verifier cannot read. */
  unparseable: number[];
}

/**
 * Checks every row's gold before training.
 * @param canParse `canParse` of src/math
 * @throws UserError for a row without a gold, or (treatment "error") for the first one that cannot be parsed
 */
export function checkGolds(
  rows: readonly Row[],
  canParse: (gold: string) => boolean,
  { column = "auto", treatment = "keep" }: { column?: GoldColumn; treatment?: GoldTreatment } = {},
): GoldReport {
  const unparseable = new Set<number>();
  rows.forEach((row, index) => {
    const gold = goldOf(row, column);
    if (gold === undefined) throw missingGold(row, index, column);
    if (canParse(gold)) return;
    if (treatment === "error") {
      throw new UserError(
        `${rowName(row, index)}: gold answer ${JSON.stringify(gold.slice(0, 120))} cannot be parsed: ` +
          `correct it, or choose gold_unparseable: score_1, null or drop`,
      );
    }
    unparseable.add(index);
  });
  const all = rows.map((_, index) => index);
  const indices = treatment === "drop" ? all.filter((index) => !unparseable.has(index)) : all;
  return { rows: indices.map((index) => rows[index]!), indices, unparseable: [...unparseable] };
}

export function missingGold(row: Row, index: number | undefined, column: GoldColumn): UserError {
  const wanted = column === "auto" ? '"solution" or "answer"' : JSON.stringify(column);
  const columns = Object.keys(row).join(", ");
  return new UserError(
    `${rowName(row, index)} has no gold answer in column ${wanted} (columns: ${columns}): set gold_column, or map a column to it`,
  );
}
