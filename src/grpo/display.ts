/** What a run shows on the terminal: the bar's fields, a few completions, evaluations. */
import type { GrpoRecipe } from "../recipe/index.js";
import type { CompletionRow } from "../run/completions.js";
import type { MetricsRow } from "../run/metrics.js";
import { formatFields, type Progress } from "../terminal/progress.js";

type DisplayKeys = Pick<GrpoRecipe, "log_completions" | "num_completions_to_print">;

export class Display {
  /** Of the last sampling: a step that learns from an earlier one's completions (num_iterations > 1) brings none. */
  #fields: Record<string, number> = {};
  #completions: readonly CompletionRow[] = [];

  constructor(
    private readonly progress: Progress,
    private readonly keys: DisplayKeys,
  ) {}

  /** A step's completions; none when it goes on with those of an earlier one. */
  sampled(rows: readonly CompletionRow[]): void {
    if (rows.length > 0) this.#completions = rows;
  }

  /** @param logged whether the step wrote a row of metrics: then completions are shown, if the recipe asks for them */
  step(row: MetricsRow, logged: boolean): void {
    this.#fields = { ...this.#fields, ...fieldsOf(row, "") };
    this.progress.update(row.step, this.#fields);
    if (!logged || !this.keys.log_completions) return;
    const count = this.keys.num_completions_to_print ?? this.#completions.length;
    for (const shown of spread(this.#completions, count)) this.progress.log(formatCompletion(shown));
    this.#completions = [];
  }

  evaluated(row: MetricsRow): void {
    const when = row.step === 0 ? "before training" : `after step ${row.step}`;
    const time = Number(row["time/evaluation"]).toFixed(1);
    this.progress.log(`evaluation ${when}: ${formatFields(fieldsOf(row, "eval_"))}  ${time} s`);
  }
}

function fieldsOf(row: MetricsRow, prefix: string): Record<string, number> {
  const shown = ["reward", "completions/mean_length", "kl"].flatMap((key) => {
    const value = row[`${prefix}${key}`];
    return typeof value === "number" ? [[key.replace("completions/mean_", ""), value] as const] : [];
  });
  return Object.fromEntries(shown);
}

/** `count` of the items, evenly over all: of several prompts rather than of one. */
function spread<T>(items: readonly T[], count: number): T[] {
  const taken = Math.min(count, items.length);
  return Array.from({ length: taken }, (_, i) => items[Math.floor((i * items.length) / taken)]!);
}

const RULE = "─".repeat(12);

/** A completion with its rewards as a block of text. What is long is cut in its middle; the run's completions folder has it all. */
export function formatCompletion(row: CompletionRow): string {
  const rewards = Object.entries(row.rewards).map(([name, score]) => `${name} ${score === null ? "–" : short(score)}`);
  const facts = [
    ...rewards,
    `advantage ${short(row.advantage)}`,
    `${row.tokens} tokens`,
    `ended by ${row.stop_reason}`,
  ];
  return [
    `${RULE} step ${row.step}, dataset row ${row.row} ${RULE}`,
    cut(printable(row.prompt.trim()), 600),
    `${RULE} completion`,
    cut(printable(row.completion.trim()), 2000),
    `${RULE} ${facts.join("  ")}`,
  ].join("\n");
}

const short = (value: number): string => String(Number(value.toPrecision(3)));

/** A model may write control characters, which would move the terminal's cursor. */
const printable = (text: string): string => text.replace(/[^\P{Cc}\n\t]/gu, "\uFFFD");

function cut(text: string, limit: number): string {
  // A little over is not worth a cut.
  if (text.length <= 1.25 * limit) return text;
  const half = limit / 2;
  const left = text.length - limit;
  return `${text.slice(0, half)}\n[… ${left.toLocaleString("en")} characters …]\n${text.slice(-half)}`;
}
