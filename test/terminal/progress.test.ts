import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { barLine, createProgress, formatDuration, formatFields } from "../../src/terminal/progress.js";
import { formatTable } from "../../src/terminal/table.js";

/** A stream that is or is not a terminal, and what was written to it. */
function fakeStream(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  const pass = new PassThrough();
  let text = "";
  pass.on("data", (data) => {
    text += data;
  });
  // What cli-progress asks of a terminal.
  const terminal = { isTTY, columns: 100, cursorTo() {}, moveCursor() {}, clearLine() {} };
  return { stream: Object.assign(pass, terminal) as unknown as NodeJS.WriteStream, text: () => text };
}

test("without a terminal: one plain line per step, with the time left of this session's steps", () => {
  const { stream, text } = fakeStream(false);
  let now = 0;
  const progress = createProgress({ total: 100, start: 40, stream, now: () => now });
  for (const step of [41, 42]) {
    now += 1500;
    progress.update(step, { reward: 1 / 3, length: 81 });
  }
  progress.log("saved checkpoint-42");
  progress.stop();
  expect(text()).toBe(
    "step 41/100  reward 0.3333  length 81  1.50 s/step  eta 1:29\n" +
      "step 42/100  reward 0.3333  length 81  1.50 s/step  eta 1:27\n" +
      "saved checkpoint-42\n",
  );
});

test("the time left follows the last 20 steps", () => {
  const { stream, text } = fakeStream(false);
  let now = 0;
  const progress = createProgress({ total: 50, stream, now: () => now });
  for (let step = 1; step <= 40; step++) {
    now += step <= 20 ? 100_000 : 2000;
    progress.update(step, {});
  }
  expect(text().trimEnd().split("\n").at(-1)).toMatch(/2\.00 s\/step {2}eta 0:20$/);
});

test("on a terminal: a bar with step, fields and time left; lines stand above it", () => {
  const { stream, text } = fakeStream(true);
  let now = 0;
  const progress = createProgress({ total: 4, stream, now: () => now });
  now = 2000;
  progress.update(1, { reward: 0.5 });
  progress.log("saved checkpoint-1");
  progress.stop();
  expect(text()).toContain(`${"█".repeat(6)}${"░".repeat(18)} 1/4  2.00 s/step  eta 0:06  reward 0.5`);
  expect(text()).toContain("saved checkpoint-1\n");
});

test.each([
  [100, "████████░░░░░░░░░░░░░░░░ 20/60  0.56 s/step  eta 0:22  reward 1.847  length 24.41"],
  [60, "20/60  0.56 s/step  eta 0:22  reward 1.847  length 24.41"],
  [40, "███░░░░░░░ 20/60  0.56 s/step  eta 0:22"],
  [12, "██░░░ 20/60"],
  [5, "20/60"],
])("at %d columns the line fits", (columns, expected) => {
  const line = barLine(20, 60, ["0.56 s/step", "eta 0:22", "reward 1.847", "length 24.41"], columns);
  expect(line.length).toBeLessThan(Math.max(columns, 6));
  expect(line).toBe(expected);
});

test.each([
  [0, "0:00"],
  [59.6, "1:00"],
  [723, "12:03"],
  [11_100, "3:05:00"],
])("%d seconds are %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test("fields have four significant digits", () => {
  expect(formatFields({ kl: 0.000123456, length: 1234.5678, n: 12345, nan: Number.NaN })).toBe(
    "kl 0.0001235  length 1235  n 12345  nan NaN",
  );
});

test("a table", () => {
  expect(
    formatTable(
      ["difficulty", "before"],
      [
        ["easy", 0.5],
        ["all", "35.6 %"],
      ],
    ),
  ).toBe(
    [
      "┌────────────┬────────┐",
      "│ difficulty │ before │",
      "├────────────┼────────┤",
      "│ easy       │    0.5 │",
      "│ all        │ 35.6 % │",
      "└────────────┴────────┘",
    ].join("\n"),
  );
});
