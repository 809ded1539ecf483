import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import { acquireRunLock, LOCK_FILE } from "../../src/run/lock.js";
import { bundle, temporaryFolder } from "./helpers.js";

const lockOf = (run: string) => path.join(run, LOCK_FILE);

test("a folder is locked until released", () => {
  const run = path.join(temporaryFolder(), "new");
  const lock = acquireRunLock(run);
  expect(() => acquireRunLock(run)).toThrow(UserError);
  expect(() => acquireRunLock(run)).toThrow(`in use by process ${process.pid}: wait for it`);
  lock.release();
  lock.release();
  expect(fs.readdirSync(run)).toEqual([]);
  acquireRunLock(run).release();
});

test("the lock of another live process stands; once it is killed, it is taken over", async () => {
  const run = temporaryFolder();
  const source = `import { acquireRunLock } from "./src/run/lock.js";
    acquireRunLock(process.argv[2]); console.log("locked"); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, [bundle(source, temporaryFolder()), run], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  expect(() => acquireRunLock(run)).toThrow(`in use by process ${child.pid}`);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(fs.existsSync(lockOf(run))).toBe(true);
  acquireRunLock(run).release();
});

test("an exit frees the folder, a thrown error too", () => {
  const run = temporaryFolder();
  const source = `import { acquireRunLock } from "./src/run/lock.js"; acquireRunLock(process.argv[2]); throw new Error("x");`;
  const child = spawnSync(process.execPath, [bundle(source, temporaryFolder()), run]);
  expect(child.status).toBe(1);
  expect(fs.readdirSync(run)).toEqual([]);
});

test.each<[string, string]>([
  ["an empty file (power cut)", ""],
  ...[1e12, 2 ** 31, -5, 0, 1.5, "x", null].map((pid): [string, string] => [
    `the pid ${pid}`,
    JSON.stringify({ pid, host: os.hostname(), started: "" }),
  ]),
  ["a pid that is used again by another process", JSON.stringify({ pid: 1, host: os.hostname(), started: "boot/0" })],
])("a stale lock is taken over: %s", (_, text) => {
  const run = temporaryFolder();
  fs.writeFileSync(lockOf(run), text);
  const lock = acquireRunLock(run);
  expect(JSON.parse(fs.readFileSync(lockOf(run), "utf8")).pid).toBe(process.pid);
  lock.release();
});

test("another machine's lock cannot be checked: the error says what to delete", () => {
  const run = temporaryFolder();
  fs.writeFileSync(lockOf(run), JSON.stringify({ pid: 7, host: "elsewhere", started: "" }));
  expect(() => acquireRunLock(run)).toThrow(
    `in use by process 7 on elsewhere: if that one is gone, delete ${lockOf(run)}`,
  );
});
