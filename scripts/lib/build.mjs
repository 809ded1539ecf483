/** Builds native/*.cc into build/Release/open_rs.node with node-gyp, unless nothing that goes into it has changed. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { library } from "./libtorch.mjs";
import { compilerName, probe } from "./prerequisites.mjs";
import { SetupError, say } from "./say.mjs";

const require = createRequire(import.meta.url);

/**
 * A folder with CUDA's headers, of PyTorch's own packages or the system's toolkit; the addon's CUDA parts need them. Since CUDA 13
 * those in crt/ come in a package of their own (nvidia-cuda-crt), which PyTorch does not bring.
 */
function cudaInclude(torch) {
  if (!torch.cuda) return "";
  const packages = join(torch.root, "..", "nvidia");
  const folders = existsSync(packages) ? readdirSync(packages).map((name) => join(packages, name, "include")) : [];
  const nvcc = probe("sh", ["-c", "command -v nvcc"]);
  const homes = [process.env.CUDA_HOME, "/usr/local/cuda", nvcc.ok && dirname(dirname(realpathSync(nvcc.text)))];
  const system = homes.filter(Boolean).map((home) => join(home, "include"));
  const isWhole = (folder) =>
    ["cuda_runtime_api.h", join("crt", "host_config.h")].every((name) => existsSync(join(folder, name)));
  return [...folders, ...system].find(isWhole) ?? "";
}

const compilerVersion = () => probe(compilerName(), ["--version"]).text;

/** Values binding.gyp reads as variables. */
export function variables(torch) {
  return {
    torch_root: torch.root,
    torch_cuda: torch.cuda ? 1 : 0,
    cuda_include: cudaInclude(torch),
    has_libtorch: existsSync(library(torch.root, "torch")) ? 1 : 0,
    compiler: /clang/i.test(compilerVersion()) ? "clang" : "gcc",
  };
}

/** Node's headers where the running Node was installed with them: then node-gyp downloads nothing. */
function nodeDirectory() {
  const prefix = dirname(dirname(process.execPath));
  const header = join(prefix, "include", "node", "node_version.h");
  if (!existsSync(header)) return [];
  const [major] = process.versions.node.split(".");
  return readFileSync(header, "utf8").includes(`#define NODE_MAJOR_VERSION ${major}\n`) ? [`--nodedir=${prefix}`] : [];
}

function sourcesOf(project) {
  const folder = join(project, "native");
  const names = readdirSync(folder, { recursive: true }).map(String);
  return [
    join(project, "binding.gyp"),
    ...names
      .filter((n) => /\.(cc|h|inc)$/.test(n))
      .sort()
      .map((n) => join(folder, n)),
  ];
}

/** Changes when sources, libtorch, Node's ABI, the compiler or the machine's kind do. */
function fingerprint(project, torch) {
  const hash = createHash("sha256");
  for (const file of sourcesOf(project)) hash.update(file).update(readFileSync(file));
  const machine = [process.platform, process.arch, process.versions.modules, compilerVersion(), process.env.CXXFLAGS];
  return hash.update(JSON.stringify([variables(torch), torch.version, machine])).digest("hex");
}

function nodeGyp(project, command, args) {
  const program = require.resolve("node-gyp/bin/node-gyp.js");
  const run = spawnSync(process.execPath, [program, command, ...args], {
    cwd: project,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const log = `${run.stdout}${run.stderr}`;
  if (process.env.OPEN_RS_VERBOSE) process.stderr.write(log);
  if (run.status !== 0)
    throw new SetupError(`the native addon did not build (OPEN_RS_VERBOSE=1 shows all):\n${failureOf(log)}`);
  return log;
}

function compile(project, torch, python) {
  const defines = Object.entries(variables(torch)).map(([name, value]) => `-D${name}=${value}`);
  nodeGyp(project, "configure", ["--release", `--python=${python}`, ...nodeDirectory(), "--", ...defines]);
  return nodeGyp(project, "build", ["--release", `--jobs=${Math.max(2, availableParallelism())}`]);
}

/** The compiler's first errors, or the end of the log where there is none. */
function failureOf(log) {
  const lines = log.split("\n");
  const errors = lines.filter(
    (line) => /error[: ]|No space left|Killed/i.test(line) && !line.startsWith("gyp ERR! stack"),
  );
  return (errors.length > 0 ? errors.slice(0, 8) : lines.slice(-20)).join("\n");
}

/** Loads the addon in another process, so that a library that is missing or crashes becomes a message. */
function loadFailure(addon) {
  // Symbols are looked up when first called: a small operator on two threads shows whether libtorch's OpenMP is the one we compiled for.
  const trial = `const n = require(${JSON.stringify(addon)});
    n.setNumThreads(2);
    n.call(n.findOp("open_rs::silu_mul", ""), n.call(n.findOp("aten::ones", ""), [1024, 64]));`;
  const { ok, text } = probe(process.execPath, ["-e", trial]);
  return ok
    ? undefined
    : (text.split("\n").find((line) => line.startsWith("Error:")) ?? text.split("\n")[0] ?? "it crashed");
}

export function build(project, torch, python) {
  const folder = join(project, "build");
  const addon = join(folder, "Release", "open_rs.node");
  const stamp = join(folder, "open_rs.stamp");
  const origin = join(folder, "libtorch.json");
  const wanted = fingerprint(project, torch);
  if (existsSync(addon) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return false;
  if (/\s/.test(project + torch.root))
    throw new SetupError(`make cannot build in a path with spaces: move ${/\s/.test(project) ? project : torch.root}.`);
  rmSync(stamp, { force: true });
  say("building the native addon ...");
  if (torch.cuda && !cudaInclude(torch))
    say("no CUDA headers found, so no CUDA graphs: pip install nvidia-cuda-runtime nvidia-cuda-crt, or set CUDA_HOME.");
  const log = compile(project, torch, python);
  for (const line of log.split("\n").filter((line) => /warning:/.test(line))) say(line);
  mkdirSync(folder, { recursive: true });
  writeFileSync(origin, `${JSON.stringify(torch, null, 2)}\n`);
  const failure = loadFailure(addon);
  if (failure) throw new SetupError(`the native addon was built against ${torch.root} but does not load: ${failure}`);
  writeFileSync(stamp, wanted);
  return true;
}
