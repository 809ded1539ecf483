/** `open-rs grade`: answers against golds, with the rule that decided; agreement when the rows say what is expected. */
import { existsSync, readFileSync } from "node:fs";
import Table from "cli-table3";
import { type Command, Option } from "commander";
import { UserError } from "../errors.js";
import { type Explanation, explain, type PresetName, presets } from "../math/index.js";

interface Row {
  gold: string;
  prediction: string;
  type?: string;
  expected?: boolean;
  [column: string]: unknown;
}

interface GradeOptions {
  preset: PresetName;
  explain?: string[];
  /** How many disagreements are listed. */
  disagreements: number;
}

interface Graded {
  row: Row;
  result: Explanation;
}

export default function register(program: Command): Command {
  return program
    .command("grade")
    .description("judge answers: rows with gold and prediction in, the same rows with correct and rule out")
    .argument("[file]", "JSONL with gold and prediction (and expected, type), or - for stdin")
    .addOption(new Option("--preset <name>", "where answers may stand").choices(Object.keys(presets)).default("reward"))
    .option("--explain <pair...>", "judge one pair, a gold and a prediction, and say why")
    .option("--disagreements <n>", "how many disagreements to list", (text) => Number(text), 40)
    .action((file: string | undefined, options: GradeOptions) => grade(file, options));
}

/** A row that says itself how it is judged: `config` is an object, Math-Verify's test options. A column of text is only data. */
const hasOwnOptions = ({ config }: Row): boolean => typeof config === "object" && config !== null;

/** The preset a row is judged under: its own where it names one. */
const presetOf = (row: Row, usual: PresetName): PresetName => {
  if (hasOwnOptions(row)) return "evaluation";
  return typeof row.preset === "string" && Object.hasOwn(presets, row.preset) ? (row.preset as PresetName) : usual;
};

function grade(file: string | undefined, options: GradeOptions): void {
  if (options.explain) {
    explainPair(options.explain, options.preset);
    return;
  }
  if (file === undefined) throw new UserError("grade needs a FILE.jsonl, or --explain GOLD PREDICTION");
  const graded = readRows(file).map((row) => ({
    row,
    result: explain(row.gold, row.prediction, presetOf(row, options.preset)),
  }));
  const own = graded.filter(({ row }) => hasOwnOptions(row)).length;
  if (own > 0) console.error(`${own} rows have options of their own (config): judged with preset evaluation`);
  for (const { row, result } of graded) {
    const { correct, verdict, rule } = result;
    console.log(JSON.stringify({ ...row, correct, verdict, rule }));
  }
  report(graded, options.disagreements);
}

function explainPair(pair: string[], preset: PresetName): void {
  const [gold, prediction] = pair;
  if (pair.length !== 2 || gold === undefined || prediction === undefined) {
    throw new UserError(
      `--explain takes a gold and a prediction, got ${pair.length} texts: quote each as one argument`,
    );
  }
  const result = explain(gold, prediction, preset);
  console.log(JSON.stringify(result, null, 2));
  if (result.rule === "no answer found" && preset === "reward") {
    console.error("preset reward takes boxed or announced answers only: \\boxed{…}, or --preset evaluation");
  }
}

function readRows(file: string): Row[] {
  if (file !== "-" && !existsSync(file)) throw new UserError(`no file ${file}`);
  const lines = readFileSync(file === "-" ? 0 : file, "utf8").split("\n");
  return lines.flatMap((line, i) => (line.trim() === "" ? [] : [readRow(line, `${file} line ${i + 1}`)]));
}

function readRow(line: string, where: string): Row {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch (problem) {
    throw new UserError(`${where} is not JSON: ${problem instanceof Error ? problem.message : problem}`);
  }
  if (typeof row !== "object" || row === null) throw new UserError(`${where} is not an object`);
  const { gold, prediction } = row as Record<string, unknown>;
  if (typeof gold !== "string") throw new UserError(`${where} has no text in column gold`);
  if (typeof prediction !== "string") throw new UserError(`${where} has no text in column prediction`);
  return row as Row;
}

/** Counts to stderr; with `expected` in the rows, agreement in total and by type, and where it fails. */
function report(graded: Graded[], listed: number): void {
  const correct = graded.filter(({ result }) => result.correct).length;
  const undecided = graded.filter(({ result }) => result.verdict === "undecided").length;
  console.error(`${correct} of ${graded.length} correct, ${undecided} undecided`);
  const judged = graded.filter(({ row }) => typeof row.expected === "boolean");
  if (judged.length === 0) return;
  const wrong = judged.filter(disagrees);
  console.error(agreementTable(judged));
  if (wrong.length > 0) console.error(disagreementTable(wrong.slice(0, listed)));
  if (wrong.length > listed)
    console.error(`${wrong.length - listed} more disagreements: --disagreements ${wrong.length}`);
}

const disagrees = ({ row, result }: Graded): boolean => row.expected !== result.correct;

function agreementTable(judged: Graded[]): string {
  const byType = new Map<string, Graded[]>();
  for (const item of judged) {
    const type = item.row.type ?? "-";
    const items = byType.get(type);
    if (items) items.push(item);
    else byType.set(type, [item]);
  }
  const table = new Table({ head: ["type", "rows", "agree", "%"], style: { head: [], border: [], compact: true } });
  const line = (name: string, items: Graded[]): [string, number, number, string] => {
    const agree = items.length - items.filter(disagrees).length;
    return [name, items.length, agree, ((100 * agree) / items.length).toFixed(2)];
  };
  for (const [type, items] of [...byType].sort(([a], [b]) => (a < b ? -1 : 1))) table.push(line(type, items));
  const plain = judged.filter(({ row }) => row.intended === undefined);
  if (plain.length > 0 && plain.length < judged.length) table.push(line("all without intended", plain));
  table.push(line("all", judged));
  return table.toString();
}

const short = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 60 ? `…${line.slice(-59)}` : line;
};

function disagreementTable(wrong: Graded[]): string {
  const table = new Table({
    head: ["type", "gold", "answer", "expected", "rule"],
    style: { head: [], border: [], compact: true },
  });
  for (const { row, result } of wrong) {
    const answer = result.extracted?.text ?? row.prediction;
    table.push([row.type ?? "-", short(row.gold), short(answer), String(row.expected), result.rule]);
  }
  return table.toString();
}
