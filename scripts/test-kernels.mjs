/**
 * The kernels (native/kernels/) against plain loops (native/test/kernels.cc), compiled alone, without Node:
 *
 *     node scripts/test-kernels.mjs            with each instruction set this processor has
 *     node scripts/test-kernels.mjs --arm64    for arm64, under qemu (Debian: g++-aarch64-linux-gnu, qemu-user)
 *
 * After `npm ci`, whose libtorch's headers it needs. About half a minute a set.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { instructionSets } from "./lib/instruction-sets.mjs";
import { compilerName } from "./lib/prerequisites.mjs";

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const { root } = JSON.parse(readFileSync(join(project, "build", "libtorch.json"), "utf8"));
const arm = process.argv.includes("--arm64") && process.arch !== "arm64";

function run(program, args) {
  const { status, error } = spawnSync(program, args, { stdio: "inherit" });
  if (error) console.error(`${program}: ${error.message}`);
  if (status !== 0) process.exitCode = 1;
  return status === 0;
}

/** What the processor lacks cannot be tried. */
function runsHere({ object }) {
  const processor = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "";
  const needed = { "kernels_avx2.o": ["avx2", "fma"], "kernels_avx512.o": ["avx512bw", "avx512dq", "avx512vl"] };
  return (needed[object] ?? []).every((flag) => processor.includes(` ${flag}`));
}

function test({ object, flags }) {
  const folder = mkdtempSync(join(tmpdir(), "open-rs-kernels-"));
  const program = join(folder, "kernels");
  const sources = ["test", "kernels"].map((name) => join(project, "native", name, "kernels.cc"));
  const include = ["-isystem", join(root, "include"), "-isystem", join(root, "include/torch/csrc/api/include")];
  // Where a kernel asserts, libtorch's own functions say so; a program for another machine has none, and needs none.
  const lib = join(root, "lib");
  const link = arm ? ["-static"] : [`-L${lib}`, `-Wl,-rpath,${lib}`, "-ltorch_cpu", "-lc10"];
  const common = ["-std=c++20", "-O2", "-Wall", "-Wextra", "-Wno-psabi", "-D_GLIBCXX_USE_CXX11_ABI=1"];
  console.log(`${arm ? "arm64, NEON" : object.replace(/^kernels_|\.o$/g, "")}:`);
  try {
    const compiler = arm ? "aarch64-linux-gnu-g++" : compilerName();
    if (!run(compiler, [...common, ...flags, ...include, ...sources, "-o", program, ...link])) return;
    if (arm) run("qemu-aarch64", [program]);
    else run(program, []);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const sets = instructionSets(arm ? "arm64" : process.arch, "gcc");
for (const set of arm ? sets : sets.filter(runsHere)) test(set);
