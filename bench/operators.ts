/**
 * Our CPU operators (native/operators*.cc) beside what they replace in libtorch, with every instruction set this processor has:
 *
 *     npx tsx bench/operators.ts [--threads 2] [--rounds 15] [--capabilities default,avx2,avx512]
 *
 * × is libtorch's time over ours, milliseconds of the quickest rounds; where libtorch's operator is the faster one it runs instead
 * (native/choice.cc), which the table says. Exit code 1 if one that is chosen is below × 0.95.
 */
import { execFileSync } from "node:child_process";
import os from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatTable } from "../src/terminal/table.js";
import { cpuCapability, setNumThreads } from "../src/torch/index.js";
import { measureAll } from "./operators/cases.js";
import type { Row } from "./operators/measure.js";

const LEAST = 0.95;
const { values } = parseArgs({
  options: {
    threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "15" },
    capabilities: { type: "string" },
    /** In the processes it starts: prints rows as JSON. */
    rows: { type: "boolean", default: false },
  },
});

/** Those up to the one libtorch chose by itself. */
function capabilities(): string[] {
  if (values.capabilities) return values.capabilities.split(",");
  const sets = ["default", "avx2", "avx512"];
  return sets.slice(0, 1 + Math.max(0, sets.indexOf(cpuCapability().toLowerCase())));
}

function measureIn(capability: string): Row[] {
  const args = ["--import", "tsx", fileURLToPath(import.meta.url), "--rows"];
  const env = { ...process.env, ATEN_CPU_CAPABILITY: capability };
  const rest = ["--threads", values.threads, "--rounds", values.rounds];
  return JSON.parse(execFileSync(process.execPath, [...args, ...rest], { env, encoding: "utf8" })) as Row[];
}

function cells({ ours, theirs, chosen }: Row): string[] {
  const ratio = `× ${(theirs / ours).toFixed(2)}`;
  return [`${ours.toFixed(3)} / ${theirs.toFixed(3)}`, chosen ? ratio : `libtorch's, ${ratio}`];
}

function main(): void {
  const names = capabilities();
  const tables = names.map(measureIn);
  const columns = names.flatMap((name) => [`${name}: ours / libtorch`, "ratio"]);
  const lines = tables[0]!.map((row, i) => [row.operator, row.what, ...tables.flatMap((table) => cells(table[i]!))]);
  console.log(`${os.cpus()[0]?.model}, ${values.threads} threads, ms`);
  console.log(formatTable(["operator", "", ...columns], lines));
  const slow = tables.flatMap((table, t) =>
    table
      .filter((row) => row.chosen && row.theirs / row.ours < LEAST)
      .map((row) => `${names[t]}: ${row.operator}, ${row.what}`),
  );
  for (const name of slow) console.error(`slower than libtorch's: ${name}`);
  process.exitCode = slow.length > 0 ? 1 : 0;
}

if (values.rows) {
  setNumThreads(Number(values.threads));
  console.log(JSON.stringify(measureAll(Number(values.rounds))));
} else main();
