import { expect, test } from "vitest";
import { Scheduler } from "../../src/engine/scheduler.js";
import { type Group, Sequence } from "../../src/engine/sequence.js";

function started(count: number): Scheduler {
  const group: Group = { prompt: 0, promptIds: [5, 6], sequences: [] };
  for (let i = 0; i < count; i++) group.sequences.push(new Sequence(group, i));
  const scheduler = new Scheduler([group], count);
  scheduler.admit(100);
  return scheduler;
}

test.each<[finished: number[], moves: [number, number][], left: number[]]>([
  [[0], [[4, 0]], [4, 1, 2, 3]],
  [[4], [], [0, 1, 2, 3]],
  [[1, 4], [[3, 1]], [0, 3, 2]],
  [
    [0, 1, 2],
    [
      [4, 0],
      [3, 1],
    ],
    [4, 3],
  ],
  [[0, 1, 2, 3, 4], [], []],
])("rows %j end: the last rows that go on take their places", (finished, moves, left) => {
  const scheduler = started(5);
  for (const row of finished) scheduler.running[row]!.stopReason = "eos";
  expect(scheduler.compact()).toEqual({ moves, rows: left.length });
  expect(scheduler.running.map(({ index }) => index)).toEqual(left);
});

test("nothing ended: nothing moves", () => {
  expect(started(3).compact()).toBeNull();
});
