/** scripts/setup.mjs: what is missing gets one line that says what to install. Runs the real script; builds nothing. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SETUP = fileURLToPath(new URL("../../scripts/setup.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "setup-"));

function script(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

const python = script("good-python", 'if [ "$1" = "-c" ]; then echo 3 11; fi');
const oldPython = script("old-python", "echo 3 7");
const noPip = script(
  "no-pip",
  'if [ "$2" = "pip" ]; then exit 1; fi; case "$2" in *version_info*) echo 3 11;; *) echo;; esac',
);
const compiler = script("compiler", "exit 0");
const oldCompiler = script("old-compiler", '[ "$1" = "--version" ]');

test.each<[string, Record<string, string>, string]>([
  ["no Python", { PYTHON: "/none" }, "no Python found (/none): install Python 3.10 or newer with pip"],
  ["an old Python", { PYTHON: oldPython }, "is Python 3.7: install Python 3.10 or newer"],
  ["no compiler", { PYTHON: python, CXX: "/none" }, "no C++ compiler found (/none): install one with C++20"],
  ["an old compiler", { PYTHON: python, CXX: oldCompiler }, "does not compile C++20: install g++ 11"],
  [
    "a wrong OPEN_RS_TORCH",
    { PYTHON: python, CXX: compiler, OPEN_RS_TORCH: "/none" },
    "OPEN_RS_TORCH=/none holds no libtorch: name a folder with lib/ and include/",
  ],
])("%s", (_name, env, expected) => {
  const { status, stderr } = spawnSync(process.execPath, [SETUP], {
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
  expect(status).toBe(1);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).toContain(expected);
});

test("no pip, in a clone without libtorch", () => {
  const clone = mkdtempSync(join(tmpdir(), "clone-"));
  const copy = spawnSync("cp", ["-r", join(SETUP, ".."), join(clone, "scripts")]);
  expect(copy.status).toBe(0);
  symlinkSync(join(SETUP, "../../node_modules"), join(clone, "node_modules"));
  const env = { ...process.env, PYTHON: noPip, CXX: compiler, OPEN_RS_TORCH: "" };
  const { status, stderr } = spawnSync(process.execPath, [join(clone, "scripts/setup.mjs")], { env, encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr.trim()).toMatch(/^open-rs: \S+ has no pip: install it/);
});
