import Table from "cli-table3";

/** How a column's cells stand: text to the left, numbers to the right. */
export type Align = "left" | "right";

/**
 * A table for the terminal as one string without a trailing newline.
 * @param head column titles
 * @param rows cells; each row has as many as `head`
 * @param align one per column; by default the first column is left, the others right
 */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  align: readonly Align[] = head.map((_, column) => (column === 0 ? "left" : "right")),
): string {
  const table = new Table({
    head: [...head],
    colAligns: [...align],
    // Plain titles: colours would land in files when output is redirected.
    style: { head: [], border: [], "padding-left": 1, "padding-right": 1 },
  });
  for (const row of rows) table.push(row.map(String));
  // A line under the titles, none between rows.
  return table
    .toString()
    .split("\n")
    .filter((line, i) => i === 2 || !line.startsWith("├"))
    .join("\n");
}
