import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, test, vi } from "vitest";
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

const elsewhere = (more: object = {}) =>
  JSON.stringify({ pid: 7, host: "elsewhere", started: "", place: "other-boot/pid:[1]", ...more });

test.each<[string, string]>([
  ["another machine", elsewhere()],
  ["another container of the same name", elsewhere({ host: os.hostname(), pid: process.pid })],
  ["an earlier version", JSON.stringify({ pid: 7, host: "elsewhere", started: "" })],
])("the lock of a killed run is taken over once it gives no sign of life: %s", (_, text) => {
  const run = temporaryFolder();
  fs.writeFileSync(lockOf(run), text);
  const lines: string[] = [];
  const lock = acquireRunLock(run, { patience: 300, log: (line) => lines.push(line) });
  expect(lines).toEqual([
    expect.stringMatching(/was in use by process \d+ on .*: waiting up to 0.3 s for a sign of life/),
  ]);
  expect(JSON.parse(fs.readFileSync(lockOf(run), "utf8")).pid).toBe(process.pid);
  lock.release();
});

test("one that beats stands, also while its process is busy", async () => {
  const run = temporaryFolder();
  const source = `import fs from "node:fs"; import path from "node:path";
    import { acquireRunLock, LOCK_FILE } from "./src/run/lock.js";
    import { startHeartbeat } from "./src/run/heartbeat.js";
    const file = path.join(process.argv[2], LOCK_FILE);
    fs.writeFileSync(file, process.argv[3]); startHeartbeat(file, process.argv[3], 50);
    setTimeout(() => { console.log("locked"); for (;;); }, 300);`;
  const child = spawn(process.execPath, [bundle(source, temporaryFolder()), run, elsewhere()], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  expect(() => acquireRunLock(run, { patience: 10_000 })).toThrow("in use by process 7 on elsewhere: wait for it");
  child.kill("SIGKILL");
  await once(child, "exit");
  acquireRunLock(run, { patience: 300 }).release();
});

test("a run that lost its folder while it stood still is told", () => {
  const run = temporaryFolder();
  const lock = acquireRunLock(run);
  lock.assertHeld();
  fs.writeFileSync(lockOf(run), elsewhere());
  expect(() => lock.assertHeld()).toThrow(/was taken over by another run/);
  lock.release();
  expect(fs.existsSync(lockOf(run))).toBe(true);
});

test("a lock that was removed is taken again: nobody has had the folder, or nobody has it any more", () => {
  const run = temporaryFolder();
  const lock = acquireRunLock(run);
  fs.rmSync(lockOf(run));
  lock.assertHeld();
  expect(() => acquireRunLock(run)).toThrow(`in use by process ${process.pid}`);
  // The folder itself is another matter, which whoever writes next finds out.
  fs.rmSync(run, { recursive: true });
  lock.assertHeld();
  lock.release();
  expect(fs.existsSync(run)).toBe(false);
});

test.each(["EPERM", "ENOTSUP", "ENOSYS"])("a file system without hard links (%s) has locks too", (code) => {
  const run = temporaryFolder();
  const link = vi.spyOn(fs, "linkSync").mockImplementation(() => {
    throw Object.assign(new Error(code), { code });
  });
  const lock = acquireRunLock(run);
  expect(() => acquireRunLock(run)).toThrow(`in use by process ${process.pid}`);
  lock.release();
  expect(fs.readdirSync(run)).toEqual([]);
  link.mockRestore();
});
