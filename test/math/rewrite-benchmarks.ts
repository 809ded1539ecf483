/**
 * Rewrites the golds of benchmark files and prints the share of right verdicts by kind:
 * `npx tsx test/math/rewrite-benchmarks.ts ../shared/data/benchmarks/*.jsonl [--list]`.
 * With `--formulas` prints the golds that are formulas and how they are read, for sympy-forms.py.
 */
import { readFileSync } from "node:fs";
import { parse, render, verify } from "../../src/math/index.js";
import { rewritings } from "./rewritings.js";

const files = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
const listed = process.argv.includes("--list");

function goldsOf(file: string): string[] {
  const rows = readFileSync(file, "utf8").trim().split("\n");
  return rows.map((row) => {
    const { answer } = JSON.parse(row) as { answer: string | string[] };
    return [answer]
      .flat()
      .map(String)
      .join(", ")
      .replace(/^\$([^$]*)\$$/, "$1")
      .trim();
  });
}

const golds = [...new Set(files.flatMap(goldsOf))];
if (process.argv.includes("--formulas")) {
  for (const gold of golds) {
    const node = /[,;=<>"]|\\text|^[-\d.]+$/.test(gold) ? undefined : parse(gold);
    if (node?.kind === "call") console.log(JSON.stringify({ gold, read: render(node) }));
  }
  process.exit(0);
}

const tally = new Map<string, { total: number; right: number }>();
for (const gold of golds) {
  for (const { kind, name, answer, equal } of rewritings(gold)) {
    const right = verify(gold, `\\boxed{${answer}}`) === equal;
    for (const key of [`${kind}, ${equal ? "same" : "different"}`, `total, ${equal ? "same" : "different"}`]) {
      const counts = tally.get(key) ?? { total: 0, right: 0 };
      tally.set(key, { total: counts.total + 1, right: counts.right + (right ? 1 : 0) });
    }
    if (!right && listed) console.log(`${kind} / ${name}: ${gold}  |  ${answer}`);
  }
}
console.log(`${golds.length} golds`);
for (const [key, { total, right }] of tally)
  console.log(`${key}: ${right} of ${total} (${((100 * right) / total).toFixed(2)} %)`);
