/** Builds native/*.cc into build/Release/open_rs.node, unless nothing that goes into it has changed. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compile } from "./compile.mjs";
import { compilerName, probe } from "./prerequisites.mjs";
import { SetupError, say } from "./say.mjs";

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

/** What the addon is compiled with. */
export function compileOptions(torch) {
  const compiler = /clang/i.test(compilerVersion()) ? "clang" : "gcc";
  return { torch, cudaInclude: cudaInclude(torch), compiler, compilerVersion: compilerVersion() };
}

/** All that is read by a build: our sources and the script that compiles them. */
function sourcesOf(project) {
  const folder = join(project, "native");
  const names = readdirSync(folder, { recursive: true }).map(String);
  const native = names.filter((name) => /\.(cc|h|inc)$/.test(name)).sort();
  return ["scripts/lib/compile.mjs", ...native.map((name) => join("native", name))];
}

/** Changes when sources, libtorch, the compiler or the machine's kind do; Node-API is the same in every Node. */
function fingerprint(project, torch) {
  const hash = createHash("sha256");
  for (const file of sourcesOf(project)) hash.update(file).update(readFileSync(join(project, file)));
  const machine = [process.platform, process.arch, process.env.CXXFLAGS];
  return hash.update(JSON.stringify([compileOptions(torch), machine])).digest("hex");
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

export async function build(project, torch) {
  const folder = join(project, "build");
  const addon = join(folder, "Release", "open_rs.node");
  const stamp = join(folder, "open_rs.stamp");
  const origin = join(folder, "libtorch.json");
  const wanted = fingerprint(project, torch);
  if (existsSync(addon) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return false;
  rmSync(stamp, { force: true });
  say("building the native addon (about a minute on two cores) ...");
  if (torch.cuda && !cudaInclude(torch))
    say("no CUDA headers found, so no CUDA graphs: pip install nvidia-cuda-runtime nvidia-cuda-crt, or set CUDA_HOME.");
  mkdirSync(dirname(addon), { recursive: true });
  const warnings = await compile(project, addon, compileOptions(torch));
  for (const line of warnings.split("\n").filter((line) => /warning:/.test(line))) say(line);
  writeFileSync(origin, `${JSON.stringify(torch, null, 2)}\n`);
  const failure = loadFailure(addon);
  if (failure) throw new SetupError(`the native addon was built against ${torch.root} but does not load: ${failure}`);
  writeFileSync(stamp, wanted);
  return true;
}
