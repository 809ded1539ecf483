import { afterEach, expect, test } from "vitest";
import { phase, watchPhases } from "../../src/run/phases.js";

let seen: string[] = [];
const record = () => {
  seen = [];
  watchPhases({ enter: (name) => seen.push(`+${name}`), leave: (name) => seen.push(`-${name}`) });
};
afterEach(() => watchPhases(null));

test("a phase gives what its part gives, watched or not", async () => {
  expect(phase("a", () => 1)).toBe(1);
  record();
  expect(phase("a", () => phase("b", () => 2))).toBe(2);
  expect(await phase("c", async () => 3)).toBe(3);
  expect(seen).toEqual(["+a", "+b", "-b", "-a", "+c", "-c"]);
});

test("an asynchronous phase ends with its promise", async () => {
  record();
  const work = phase("a", () => new Promise((resolve) => setTimeout(() => resolve(seen.push("done")), 5)));
  expect(seen).toEqual(["+a"]);
  await work;
  expect(seen).toEqual(["+a", "done", "-a"]);
});

test("a failing part ends its phase, too", async () => {
  record();
  const fail = () => {
    throw new Error("no");
  };
  expect(() => phase("a", fail)).toThrow("no");
  await expect(phase("b", async () => fail())).rejects.toThrow("no");
  expect(seen).toEqual(["+a", "-a", "+b", "-b"]);
});
