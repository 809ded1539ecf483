/**
 * All set-up of a fresh clone or installation: finds or installs libtorch, builds the native addon. Run by `npm ci` and by
 * `open-rs setup`, safe to run again. `--fresh` looks for libtorch anew and compiles everything.
 * OPEN_RS_TORCH names a libtorch or torch package to use, OPEN_RS_HOME where a fetched one lies, PYTHON and CXX the programs;
 * OPEN_RS_VERBOSE=1 shows the build.
 */
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./lib/build.mjs";
import { provideCudaHeaders } from "./lib/cuda-headers.mjs";
import { findLibtorch, hasGpu, home } from "./lib/libtorch.mjs";
import { checkCompiler, checkNode, findPython } from "./lib/prerequisites.mjs";
import { SetupError, say } from "./lib/say.mjs";

const project = dirname(dirname(fileURLToPath(import.meta.url)));

async function setUp() {
  checkNode();
  const python = findPython();
  checkCompiler();
  const fresh = process.argv.includes("--fresh");
  const torch = findLibtorch(python, project, { fresh });
  if (fresh) rmSync(join(project, "build"), { recursive: true, force: true });
  provideCudaHeaders({ python, store: home(), torch, gpu: hasGpu() });
  const start = performance.now();
  const built = await build(project, torch);
  const how = built ? `built in ${((performance.now() - start) / 1000).toFixed(0)} s` : "is up to date";
  say(`the native addon ${how} (libtorch ${torch.version}, ${torch.cuda ? "CUDA" : "CPU"}, from ${torch.source}).`);
}

try {
  await setUp();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
