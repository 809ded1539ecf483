/** scripts/setup.mjs: what is missing gets one line that says what to install. Runs the real script; builds nothing. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const SETUP = fileURLToPath(new URL("../../scripts/setup.mjs", import.meta.url));
const LIBTORCH = new URL("../../scripts/lib/libtorch.mjs", import.meta.url).href;
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
  const env = { ...process.env, PYTHON: noPip, CXX: compiler, OPEN_RS_TORCH: "", OPEN_RS_HOME: join(clone, "home") };
  const { status, stderr } = spawnSync(process.execPath, [join(clone, "scripts/setup.mjs")], { env, encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr.trim()).toMatch(/^open-rs: \S+ has no pip: install it/);
});

/** A folder that looks like a torch package of this version, without its libraries' contents. */
function torchPackage(name: string, version: string): string {
  const root = join(folder, name, "torch");
  for (const file of ["lib/libtorch_cpu.so", "include/ATen/ATen.h"]) {
    mkdirSync(join(root, file, ".."), { recursive: true });
    writeFileSync(join(root, file), "");
  }
  writeFileSync(join(root, "version.py"), `__version__ = '${version}'\n`);
  return root;
}

describe("libtorch of an installation", () => {
  const project = join(folder, "project");
  const [used, offered] = [torchPackage("used", "2.12.0"), torchPackage("offered", "2.13.0")];
  const torchPython = script("torch-python", `echo ${offered}`);
  const find = (options?: { fresh?: boolean }, env: Record<string, string> = {}) => {
    const call = `import { findLibtorch } from ${JSON.stringify(LIBTORCH)};
      console.log(JSON.stringify(findLibtorch(${JSON.stringify(torchPython)}, ${JSON.stringify(project)}, ${JSON.stringify(options)})));`;
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", call], {
      encoding: "utf8",
      env: { ...process.env, OPEN_RS_TORCH: "", ...env },
    });
    return { root: JSON.parse(run.stdout).root as string, said: run.stderr };
  };
  mkdirSync(join(project, "build"), { recursive: true });

  test("is what it was built with, and says when python3 has another", () => {
    writeFileSync(join(project, "build/libtorch.json"), JSON.stringify({ root: used, version: "2.12.0" }));
    const { root, said } = find();
    expect(root).toBe(used);
    expect(said).toMatch(/has PyTorch 2\.13\.0 now; this installation keeps libtorch 2\.12\.0 \(open-rs setup --fresh/);
  });

  test("is chosen anew with --fresh, with OPEN_RS_TORCH, and when it is gone", () => {
    writeFileSync(join(project, "build/libtorch.json"), JSON.stringify({ root: used, version: "2.12.0" }));
    expect(find({ fresh: true }).root).toBe(offered);
    expect(find({}, { OPEN_RS_TORCH: offered }).root).toBe(offered);
    writeFileSync(join(project, "build/libtorch.json"), JSON.stringify({ root: "/gone", version: "2.11.0" }));
    const { root, said } = find();
    expect(root).toBe(offered);
    expect(said).toContain("libtorch 2.11.0 in /gone is gone");
  });
});
