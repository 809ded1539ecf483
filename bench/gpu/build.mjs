/** Builds the addon with the compiler alone, all files at once: for machines without node-gyp. `npm run bench:gpu` does not need it. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { variables } from "../../scripts/lib/build.mjs";
import { findLibtorch } from "../../scripts/lib/libtorch.mjs";
import { findPython } from "../../scripts/lib/prerequisites.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const torch = findLibtorch(findPython(), root);
const { torch_root, torch_cuda, cuda_include, has_libtorch } = variables(torch);
const carried = join(root, ".gpu-carry", "include");
const node = existsSync(carried) ? carried : join(dirname(dirname(process.execPath)), "include", "node");
const output = join(root, "build", "Release");
const objects = join(output, "obj.gpu");
mkdirSync(objects, { recursive: true });

// The flags of binding.gyp.
const flags = [
  ...["-std=c++20", "-O2", "-fPIC", "-fexceptions", "-frtti", "-fvisibility=hidden", "-Wall", "-Wextra"],
  ...["-DNAPI_VERSION=8", "-D_GLIBCXX_USE_CXX11_ABI=1", `-I${node}`, `-isystem${torch_root}/include`],
  `-isystem${torch_root}/include/torch/csrc/api/include`,
  ...(torch_cuda ? ["-DOPEN_RS_CUDA=1"] : []),
  ...(cuda_include ? ["-DOPEN_RS_CUDA_HEADERS=1", `-isystem${cuda_include}`] : []),
];
const libraries = [
  ...[`-L${torch_root}/lib`, `-Wl,-rpath,${torch_root}/lib`, "-ltorch_cpu", "-lc10", "-Wl,--no-as-needed"],
  ...(has_libtorch ? ["-ltorch"] : []),
  ...(torch_cuda ? ["-ltorch_cuda", "-lc10_cuda"] : []),
];

const run = (args) =>
  new Promise((resolve, reject) => {
    const child = spawn(process.env.CXX || "g++", args, { stdio: "inherit" });
    child.on("error", reject);
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`the compiler failed: ${args.join(" ")}`))));
  });

const start = performance.now();
const sources = readdirSync(join(root, "native")).filter((name) => name.endsWith(".cc"));
const objectOf = (name) => join(objects, name.replace(/cc$/, "o"));
await Promise.all(sources.map((name) => run([...flags, "-c", join(root, "native", name), "-o", objectOf(name)])));
await run(["-shared", "-o", join(output, "open_rs.node"), ...sources.map(objectOf), ...libraries]);
const seconds = ((performance.now() - start) / 1000).toFixed(0);
console.error(
  `addon built in ${seconds} s: libtorch ${torch.version} (${torch.source}), CUDA headers ${cuda_include || "none"}`,
);
