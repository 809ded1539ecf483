import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { beforeAll, expect, test } from "vitest";
import { bundle, temporaryFolder } from "../run/helpers.js";

/** Steps of 20 ms that block the event loop, as native calls do; after 600 ms on, one step blocks without end. */
const PROGRAM = `
import { watchInterrupt, yieldToEvents } from "./src/terminal/interrupt.js";
const interrupt = watchInterrupt((signal) => console.log("first " + signal));
const block = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
console.log("ready");
while (!interrupt.stopRequested) { block(20); await yieldToEvents(); }
if (process.argv[2] === "stuck") {
  const end = performance.now() + 400;
  while (performance.now() < end) { block(20); await yieldToEvents(); }
  console.log("stuck");
  block(20_000);
}
interrupt.dispose();
console.log("saved");`;

let program: string;
beforeAll(() => {
  program = bundle(PROGRAM, temporaryFolder());
});

type Child = ChildProcessByStdio<null, Readable, null>;

async function start(
  mode: string,
): Promise<{ child: Child; output: () => string; until: (word: string) => Promise<void> }> {
  const child = spawn(process.execPath, [program, mode], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (data) => {
    text += data;
  });
  const until = async (word: string) => {
    while (!text.includes(word)) await once(child.stdout, "data");
  };
  await until("ready");
  return { child, output: () => text, until };
}

test.each(["SIGINT", "SIGTERM"] as const)("%s: the step ends, the run saves and exits by itself", async (signal) => {
  const { child, output } = await start("save");
  child.kill(signal);
  child.kill(signal); // npm passes the same press on: it does not count twice
  const [code] = await once(child, "close");
  expect(output()).toBe(`ready\nfirst ${signal}\nsaved\n`);
  expect(code).toBe(0);
});

test("a second Ctrl-C ends the process at once, even while the event loop is blocked", async () => {
  const { child, output, until } = await start("stuck");
  child.kill("SIGINT");
  await until("stuck");
  const begin = performance.now();
  child.kill("SIGINT");
  const [, signal] = await once(child, "close");
  expect(performance.now() - begin).toBeLessThan(5000);
  expect(signal).toBe("SIGINT"); // status 130 in a shell
  expect(output()).not.toContain("saved");
});
