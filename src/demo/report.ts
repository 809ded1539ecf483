import pc from "picocolors";
import type { Interval } from "../eval/interval.js";
import { formatTable } from "../terminal/table.js";
import type { Evaluation } from "./evaluate.js";
import { LEVELS } from "./problems.js";

export interface BeforeAfter {
  before: Evaluation;
  after: Evaluation;
}

export interface DemoReport {
  sampled: BeforeAfter;
  greedy: BeforeAfter;
  /** Temperature of `sampled`. */
  temperature: number;
}

/** The table and examples at the end of the demo, as text for a terminal of 80 columns. */
export function formatReport(report: DemoReport): string {
  const { sampled, greedy, temperature } = report;
  const row = (name: string, { before, after }: BeforeAfter) => [
    name,
    percent(before.accuracy),
    percent(after.accuracy),
  ];
  const accuracy = formatTable(
    [`${sampled.before.attempts.length} held-out problems`, "before", "after GRPO"],
    [
      row(`sampled, temperature ${temperature}`, sampled),
      row("greedy", greedy),
      ...LEVELS.map((level) => [
        `  level ${level} (${level} ${level === 1 ? "operation" : "operations"})`,
        percent(sampled.before.byLevel.get(level)!),
        percent(sampled.after.byLevel.get(level)!),
      ]),
      ["tokens, sampled", sampled.before.meanTokens.toFixed(1), sampled.after.meanTokens.toFixed(1)],
      ["tokens, greedy", greedy.before.meanTokens.toFixed(1), greedy.after.meanTokens.toFixed(1)],
    ],
    ["left", "right", "right"],
  );
  return `${accuracy}\n\n${examples(sampled)}`;
}

/** 93.4 % [90.9, 95.3] */
const percent = ({ share, low, high }: Interval): string =>
  `${(100 * share).toFixed(1)} % [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;

/** Three problems, easy to hard, preferably such that went from wrong to right. */
function examples({ before, after }: BeforeAfter): string {
  const picked = [2, 4, 6].map((level) => {
    const ofLevel = before.attempts.map((_, i) => i).filter((i) => before.attempts[i]!.problem.level === level);
    return ofLevel.find((i) => !before.attempts[i]!.correct && after.attempts[i]!.correct) ?? ofLevel[0]!;
  });
  return picked
    .map((i) => {
      const { problem } = before.attempts[i]!;
      const show = (name: string, { completion, correct }: Evaluation["attempts"][number]) =>
        `  ${name.padEnd(7)}${correct ? pc.green("right") : pc.red("wrong")}  ${wrapped(completion.replaceAll("\n", " ⏎ "))}`;
      return [
        `${pc.bold(problem.problem)}  (answer ${problem.solution})`,
        show("before", before.attempts[i]!),
        show("after", after.attempts[i]!),
      ].join("\n");
    })
    .join("\n\n");
}

const INDENT = "                ";

/** Text that begins at column 16, broken between words before column 80. */
function wrapped(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1]!;
    if (last !== "" && INDENT.length + last.length + 1 + word.length > 80) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines.join(`\n${INDENT}`);
}
