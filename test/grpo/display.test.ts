/** What a run shows on the terminal beside the bar. */
import { beforeEach, expect, test } from "vitest";
import { Display, formatCompletion } from "../../src/grpo/display.js";
import type { CompletionRow } from "../../src/run/completions.js";
import type { Progress } from "../../src/terminal/progress.js";

const lines: string[] = [];
const progress: Progress = {
  update: (step, fields) => lines.push(`${step} ${JSON.stringify(fields)}`),
  log: (line) => lines.push(line),
  stop: () => {},
};
beforeEach(() => {
  lines.length = 0;
});

const completion = (row: number, more: Partial<CompletionRow> = {}): CompletionRow => ({
  step: 3,
  row,
  prompt: "What is 1+1?",
  completion: "<think>easy</think> 2",
  tokens: 12,
  stop_reason: "eos",
  rewards: { accuracy: 1, format: 0.25, mine: null },
  advantage: 0.70713,
  ...more,
});

test("a completion as a block: where from, prompt, completion, rewards", () => {
  expect(formatCompletion(completion(7))).toBe(
    [
      "──────────── step 3, dataset row 7 ────────────",
      "What is 1+1?",
      "──────────── completion",
      "<think>easy</think> 2",
      "──────────── accuracy 1  format 0.25  mine –  advantage 0.707  12 tokens  ended by eos",
    ].join("\n"),
  );
});

test("a long completion is cut in its middle, control characters are not sent to the terminal", () => {
  const text = formatCompletion(completion(1, { completion: `${"a".repeat(3000)}\u001b[2J\b\nend` }));
  expect(text).toContain(`${"a".repeat(1000)}\n[… 1,009 characters …]\n`);
  expect(text).toContain("\uFFFD[2J\uFFFD\nend\n");
});

test("completions are shown with rows of metrics, evenly over the prompts, once", () => {
  const display = new Display(progress, { log_completions: true, num_completions_to_print: 2 });
  display.sampled([0, 1, 2, 3].map((row) => completion(row)));
  display.step({ step: 3, reward: 1 }, false);
  expect(lines).toHaveLength(1);
  display.step({ step: 4, reward: 1 }, true);
  display.step({ step: 5, reward: 1 }, true);
  expect(lines.flatMap((line) => /row (\d)/.exec(line)?.[1] ?? [])).toEqual(["0", "2"]);
});

test("null shows all, false none", () => {
  for (const [log_completions, shown] of [
    [true, 4],
    [false, 0],
  ] as const) {
    lines.length = 0;
    const display = new Display(progress, { log_completions, num_completions_to_print: null });
    display.sampled([0, 1, 2, 3].map((row) => completion(row)));
    display.step({ step: 3 }, true);
    expect(lines.length - 1).toBe(shown);
  }
});

test("a step that samples nothing (num_iterations > 1) goes on showing the last reward", () => {
  const display = new Display(progress, { log_completions: false, num_completions_to_print: 1 });
  display.step({ step: 1, reward: 0.5, "completions/mean_length": 20, kl: 0.1, loss: 0.2 }, true);
  display.step({ step: 2, kl: 0.3, loss: 0.1 }, true);
  expect(lines[1]).toBe('2 {"reward":0.5,"length":20,"kl":0.3}');
});
