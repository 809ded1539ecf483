import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { cleanRunFolder, latestCheckpoint, listCheckpoints } from "../../src/run/checkpoint.js";
import { bundle, temporaryFolder } from "./helpers.js";

/** Saves 3 × 1 MB checkpoints without end, from where the last one was; says so on stdout once it saves. */
const SAVER = `
import fs from "node:fs";
import { cleanRunFolder, latestCheckpoint, saveCheckpoint } from "./src/run/checkpoint.js";
import { acquireRunLock } from "./src/run/lock.js";
const run = process.argv[2];
acquireRunLock(run);
cleanRunFolder(run);
let step = latestCheckpoint(run, (message) => { throw new Error(message); })?.step ?? 0;
const write = (folder) => {
  for (const name of ["a", "b", "c"]) fs.writeFileSync(folder + "/" + name, Buffer.alloc(1 << 20, step));
};
for (;;) {
  await saveCheckpoint(run, ++step, write, { keep: 2 });
  // Every third one once more: the replacement of a checkpoint is killed, too.
  if (step % 3 === 0) await saveCheckpoint(run, step, write, { keep: 2 });
  process.stdout.write("saved\\n");
}`;

async function killAfter(child: ChildProcess, ms: number): Promise<void> {
  const errors: string[] = [];
  child.stderr?.on("data", (data) => errors.push(String(data)));
  if (child.stdout === null) throw new Error("no stdout");
  await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  expect(errors.join(""), "the saver failed by itself").toBe("");
  await new Promise((resolve) => setTimeout(resolve, ms));
  child.kill("SIGKILL");
  await once(child, "exit");
}

test("kill -9 at random moments of a save leaves a loadable checkpoint, and the next run goes on from it", async () => {
  const run = temporaryFolder();
  const program = bundle(SAVER, temporaryFolder());
  let leftovers = 0;
  let last = 0;
  for (let round = 0; round < 12; round++) {
    const child = spawn(process.execPath, [program, run], { stdio: ["ignore", "pipe", "pipe"] });
    await killAfter(child, Math.random() * 40);
    leftovers += fs.readdirSync(run).filter((name) => /^\.(tmp|old)-/.test(name)).length;
    cleanRunFolder(run);
    const newest = latestCheckpoint(run, (message) => expect.unreachable(message));
    expect(newest?.step).toBeGreaterThan(last);
    expect(fs.readFileSync(path.join(newest?.path ?? "", "c"))).toHaveLength(1 << 20);
    expect(listCheckpoints(run).length).toBeLessThanOrEqual(3); // killed before the oldest was removed
    last = newest?.step ?? 0;
  }
  expect(leftovers, "no kill hit the middle of a save").toBeGreaterThan(0);
});
