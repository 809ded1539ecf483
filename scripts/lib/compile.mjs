/** Compiles native/*.cc with the C++ compiler itself and links them: no make, no Node headers from the network, any path. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { instructionSets } from "./instruction-sets.mjs";
import { library } from "./libtorch.mjs";
import { compilerName } from "./prerequisites.mjs";
import { SetupError } from "./say.mjs";

const isMac = process.platform === "darwin";

/** Node-API's headers: the package's, or those that bench/gpu/pack.mjs carried to a machine without packages. */
const nodeHeaders = () =>
  process.env.NODE_API_HEADERS ?? createRequire(import.meta.url)("node-api-headers").include_dir;

/** @param {{torch: object, cudaHeaders: string[], cudaVersion: number, compiler: "gcc" | "clang"}} options */
export function compilerFlags({ torch, cudaHeaders, cudaVersion, compiler }) {
  return [
    ...["-std=c++20", "-O2", "-fPIC", "-pthread", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-psabi"],
    ...["-DNAPI_VERSION=8", "-DNODE_GYP_MODULE_NAME=open_rs", "-D_GLIBCXX_USE_CXX11_ABI=1"],
    // What is not ours to warn about: libtorch's headers, Node's, CUDA's.
    ...["-isystem", nodeHeaders(), "-isystem", join(torch.root, "include")],
    ...["-isystem", join(torch.root, "include", "torch", "csrc", "api", "include")],
    // at::parallel_for is in libtorch's headers. Compiled for OpenMP, but not linked with it: the threads are libtorch's own, the
    // symbols come with libtorch_cpu. Clang would ask for another runtime than libtorch's; without, our loops run on one thread.
    ...(compiler === "gcc" ? ["-fopenmp"] : []),
    ...(torch.cuda ? ["-DOPEN_RS_CUDA=1"] : []),
    ...(cudaHeaders.length > 0 ? ["-DOPEN_RS_CUDA_HEADERS=1", `-DOPEN_RS_CUDA_VERSION=${cudaVersion}`] : []),
    ...cudaHeaders.flatMap((folder) => ["-isystem", folder]),
    ...(isMac ? ["-mmacosx-version-min=13.0"] : []),
    ...(process.env.CXXFLAGS ?? "").split(/\s+/).filter(Boolean),
  ];
}

function linkerFlags(torch) {
  const lib = join(torch.root, "lib");
  const kind = isMac ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared"];
  // libtorch and its CUDA half register operators when they load: they are wanted though nothing of theirs is called by name.
  const whole = [
    ...(existsSync(library(torch.root, "torch")) ? ["-ltorch"] : []),
    ...(torch.cuda ? ["-ltorch_cuda", "-lc10_cuda"] : []),
  ];
  return [
    ...kind,
    `-L${lib}`,
    `-Wl,-rpath,${lib}`,
    "-ltorch_cpu",
    "-lc10",
    ...(isMac ? [] : ["-Wl,--no-as-needed"]),
    ...whole,
  ];
}

/** One run of the compiler; resolves to what it printed, which is warnings if it succeeded. */
function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(compilerName(), args, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (part) => (text += part));
    child.on("error", reject);
    child.on("close", (code) => {
      if (process.env.OPEN_RS_VERBOSE) process.stderr.write(`${compilerName()} ${args.join(" ")}\n${text}`);
      if (code === 0) resolve(text);
      else reject(new SetupError(`the native addon did not build (OPEN_RS_VERBOSE=1 shows all):\n${failureOf(text)}`));
    });
  });
}

/** The compiler's first errors, or the end of what it printed where there is none. */
function failureOf(text) {
  const lines = text.trim().split("\n");
  const errors = lines.filter((line) => /error[: ]|No space left|Killed/i.test(line));
  return (errors.length > 0 ? errors.slice(0, 8) : lines.slice(-20)).join("\n");
}

const readAll = (folder, pattern) =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => readFileSync(join(folder, name), "utf8"));

/** What is compiled to an object each. Instruction sets come last: of an inline function in several objects the linker keeps the first. */
function unitsOf(folder, compiler) {
  const plain = readdirSync(folder)
    .filter((name) => name.endsWith(".cc"))
    .sort()
    .map((source) => ({ source, object: source.replace(/cc$/, "o"), flags: [] }));
  const source = join("kernels", "kernels.cc");
  return [...plain, ...instructionSets(process.arch, compiler).map((set) => ({ source, ...set }))];
}

/**
 * Builds `project`/native into `output`; a file is compiled again only when it, a header of ours or the flags have changed.
 * @returns {Promise<string>} the warnings
 */
export async function compile(project, output, options) {
  const folder = join(project, "native");
  const objects = join(project, "build", "obj");
  mkdirSync(objects, { recursive: true });
  const flags = compilerFlags(options);
  const common = JSON.stringify([compilerName(), options.compilerVersion, flags, readAll(folder, /\.(h|inc)$/)]);
  const warnings = [];

  async function compileOne(unit) {
    const [source, object] = [join(folder, unit.source), join(objects, unit.object)];
    const own = JSON.stringify(unit.flags);
    const key = createHash("sha256").update(common).update(own).update(readFileSync(source)).digest("hex");
    if (existsSync(object) && existsSync(`${object}.key`) && readFileSync(`${object}.key`, "utf8") === key)
      return object;
    rmSync(`${object}.key`, { force: true });
    warnings.push(await run([...flags, ...unit.flags, "-c", source, "-o", object]));
    writeFileSync(`${object}.key`, key);
    return object;
  }

  const built = await inParallel(unitsOf(folder, options.compiler), compileOne);
  // Renamed into place: a process that has the old addon mapped keeps it.
  const temporary = `${output}.${process.pid}`;
  await run(["-o", temporary, ...built, ...linkerFlags(options.torch)]);
  renameSync(temporary, output);
  return warnings.join("");
}

/** `work` on every item, as many at a time as there are processors; results in the order of the items. */
async function inParallel(items, work) {
  const results = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i]);
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker));
  return results;
}
