/** Figures as they come: one JSON line each on stdout, and at the end all of them as a table on stderr. */
export type Figure = Record<string, number | string | boolean | null>;

export class Report {
  readonly #rows: Figure[] = [];

  /** `measured: false` marks what is computed from other figures. */
  add(section: string, figure: Figure): void {
    const row = { section, ...figure };
    this.#rows.push(row);
    console.log(JSON.stringify(row));
  }

  print(): void {
    for (const section of new Set(this.#rows.map((row) => String(row.section)))) {
      const rows = this.#rows.filter((row) => row.section === section);
      process.stderr.write(`\n${section}\n${table(rows)}\n`);
    }
  }
}

/** Columns by key, in the order in which keys first come. */
export function table(rows: readonly Figure[]): string {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((key) => key !== "section");
  const cells = [keys, ...rows.map((row) => keys.map((key) => show(row[key])))];
  const widths = keys.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  return cells.map((row) => `  ${row.map((cell, i) => cell.padStart(widths[i]!)).join("  ")}`).join("\n");
}

function show(value: Figure[string] | undefined): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "number") return String(value);
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

export const round = (value: number, digits = 4): number => Number(value.toPrecision(digits));
