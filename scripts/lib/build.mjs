/** Builds native/*.cc into build/Release/open_rs.node, unless nothing that goes into it has changed. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compile } from "./compile.mjs";
import { cudaOf, findCudaHeaders } from "./cuda-headers.mjs";
import { home } from "./libtorch.mjs";
import { compilerName, probe } from "./prerequisites.mjs";
import { SetupError, say } from "./say.mjs";

const compilerVersion = () => probe(compilerName(), ["--version"]).text;

/** 13000 for CUDA 13.0, as CUDART_VERSION has it; 0 if PyTorch does not say. */
function cudaNumber(torch) {
  const [major, minor] = (torch.cuda && cudaOf(torch.root)?.split(".").map(Number)) || [0, 0];
  return 1000 * major + 10 * minor;
}

/** What the addon is compiled with. */
export function compileOptions(torch) {
  const cudaHeaders = torch.cuda ? findCudaHeaders(torch, home()).include : [];
  const compiler = /clang/i.test(compilerVersion()) ? "clang" : "gcc";
  return { torch, cudaHeaders, cudaVersion: cudaNumber(torch), compiler, compilerVersion: compilerVersion() };
}

/** All that is read by a build: our sources and the script that compiles them. */
function sourcesOf(project) {
  const folder = join(project, "native");
  const names = readdirSync(folder, { recursive: true }).map(String);
  const native = names.filter((name) => /\.(cc|h|inc)$/.test(name)).sort();
  return ["scripts/lib/compile.mjs", "scripts/lib/instruction-sets.mjs", ...native.map((name) => join("native", name))];
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
  mkdirSync(dirname(addon), { recursive: true });
  const warnings = await compile(project, addon, compileOptions(torch));
  for (const line of warnings.split("\n").filter((line) => /warning:/.test(line))) say(line);
  writeFileSync(origin, `${JSON.stringify(torch, null, 2)}\n`);
  const failure = loadFailure(addon);
  if (failure) throw new SetupError(`the native addon was built against ${torch.root} but does not load: ${failure}`);
  writeFileSync(stamp, wanted);
  return true;
}
