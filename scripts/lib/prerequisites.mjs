import { spawnSync } from "node:child_process";
import { SetupError } from "./say.mjs";

export const OLDEST_NODE = 20;
export const OLDEST_PYTHON = [3, 10];

/** Runs a program and returns {ok, text}: `text` is what it wrote to stdout and stderr. */
export function probe(program, args, options = {}) {
  const result = spawnSync(program, args, { encoding: "utf8", ...options });
  return { ok: result.status === 0, text: `${result.stdout ?? ""}${result.stderr ?? ""}`.trim() };
}

export function checkNode(version = process.versions.node) {
  if (Number.parseInt(version, 10) < OLDEST_NODE)
    throw new SetupError(
      `Node.js ${version} is too old: install Node.js ${OLDEST_NODE} or newer (https://nodejs.org).`,
    );
}

/** The Python that installs or lends libtorch. */
export function findPython(env = process.env) {
  const python = env.PYTHON || "python3";
  const found = probe(python, ["-c", "import sys; print(*sys.version_info[:2])"]);
  const wanted = OLDEST_PYTHON.join(".");
  if (!found.ok)
    throw new SetupError(
      `no Python found (${python}): install Python ${wanted} or newer with pip (Debian: apt install python3-pip).`,
    );
  const [major, minor] = found.text.split(" ").map(Number);
  if (major < OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor < OLDEST_PYTHON[1]))
    throw new SetupError(
      `${python} is Python ${major}.${minor}: install Python ${wanted} or newer, or set PYTHON to one.`,
    );
  return python;
}

export function checkPip(python) {
  if (!probe(python, ["-m", "pip", "--version"]).ok)
    throw new SetupError(
      `${python} has no pip: install it (Debian: apt install python3-pip; else ${python} -m ensurepip).`,
    );
}

/** The C++ compiler set-up calls. */
export const compilerName = (env = process.env) => env.CXX || (process.platform === "darwin" ? "c++" : "g++");

/** It must know C++20. */
export function checkCompiler(env = process.env) {
  const compiler = compilerName(env);
  const install = process.platform === "darwin" ? "xcode-select --install" : "Debian: apt install build-essential";
  if (!probe(compiler, ["--version"]).ok)
    throw new SetupError(
      `no C++ compiler found (${compiler}): install one with C++20, such as g++ 11 (${install}), or set CXX.`,
    );
  const cxx20 = ["-std=c++20", "-fsyntax-only", "-x", "c++", "-"];
  if (!probe(compiler, cxx20, { input: "#include <concepts>\nint main() {}\n" }).ok)
    throw new SetupError(
      `${compiler} does not compile C++20: install g++ 11 or clang 14 or newer (${install}), or set CXX.`,
    );
}
