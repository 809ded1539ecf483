/**
 * CUDA's headers, which the addon's graphs, events and memory figures are compiled with. They must be of the CUDA that PyTorch was built
 * for: the layout of its classes follows CUDA_VERSION. PyTorch's wheels bring most of them but not those in crt/.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { probe } from "./prerequisites.mjs";
import { SetupError, say } from "./say.mjs";

/** "13.0": what this torch package or libtorch archive was built for; undefined if it does not say. */
export function cudaOf(root) {
  const text = (name) => (existsSync(join(root, name)) ? readFileSync(join(root, name), "utf8") : "");
  const python = /^cuda(?:: [^=]+)? = ['"](\d+\.\d+)/m.exec(text("version.py"));
  if (python) return python[1];
  const archive = /\+cu(\d+)(\d)\s*$/.exec(text("build-version"));
  return archive ? `${archive[1]}.${archive[2]}` : undefined;
}

/** "13.0" from cuda_runtime_api.h; undefined if the folder has none. */
function versionOf(include) {
  const file = join(include, "cuda_runtime_api.h");
  const number = existsSync(file)
    ? /#define\s+CUDART_VERSION\s+(\d+)/.exec(readFileSync(file, "utf8"))?.[1]
    : undefined;
  return number && `${Math.floor(number / 1000)}.${Math.floor((number % 1000) / 10)}`;
}

const hasCrt = (include) => existsSync(join(include, "crt", "host_defines.h"));

/** NVIDIA's packages beside a torch package, each with a folder include/. */
function packagesIn(site) {
  const folder = join(site, "nvidia");
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name, "include")) : [];
}

const ownFolder = (store, cuda) => join(store, `cuda-headers-${cuda}`);

/** Groups of include folders, each of one installation: PyTorch's own packages, those set-up fetched, the system's toolkits. */
function places(torch, store, cuda, env) {
  const nvcc = probe("sh", ["-c", "command -v nvcc"]);
  const homes = [env.CUDA_HOME, "/usr/local/cuda", nvcc.ok && dirname(dirname(realpathSync(nvcc.text)))];
  const system = homes.filter(Boolean).map((home) => [join(home, "include")]);
  return [packagesIn(join(torch.root, "..")), packagesIn(ownFolder(store, cuda)), ...system];
}

/** {include, problem}: the folders to compile with, or none and why. */
export function findCudaHeaders(torch, store, env = process.env) {
  const cuda = cudaOf(torch.root);
  const problems = [];
  for (const folders of places(torch, store, cuda, env)) {
    const runtime = folders.find((folder) => versionOf(folder));
    if (!runtime) continue;
    const version = versionOf(runtime);
    const crt = hasCrt(runtime) ? runtime : folders.find(hasCrt);
    if (cuda && version !== cuda) problems.push(`those in ${runtime} are of CUDA ${version}`);
    else if (!crt) problems.push(`those in ${runtime} lack crt/`);
    else return { include: [...new Set([runtime, crt])] };
  }
  const found = problems.length > 0 ? problems.join("; ") : "none found";
  return { include: [], problem: `PyTorch needs the headers of CUDA ${cuda ?? "(unknown version)"}: ${found}` };
}

/** The packages that hold them; since CUDA 13 their names carry no version. */
export function headerPackages(cuda) {
  const major = Number.parseInt(cuda, 10);
  const names =
    major >= 13
      ? ["nvidia-cuda-runtime", "nvidia-cuda-crt"]
      : ["runtime", "nvcc"].map((n) => `nvidia-cuda-${n}-cu${major}`);
  return names.map((name) => `${name}==${cuda}.*`);
}

/** Fetches them beside libtorch; returns pip's last line if it could not. */
function fetchHeaders(python, store, cuda) {
  const folder = ownFolder(store, cuda);
  const temporary = `${folder}.${process.pid}`;
  say(`installing CUDA ${cuda}'s headers with pip into ${folder} (once; a few MB) ...`);
  const flags = ["--disable-pip-version-check", "--no-compile", "--quiet", "--no-deps", "--target", temporary];
  const run = spawnSync(python, ["-m", "pip", "install", ...flags, ...headerPackages(cuda)], { encoding: "utf8" });
  if (run.status === 0) {
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
    return undefined;
  }
  rmSync(temporary, { recursive: true, force: true });
  return (run.stderr ?? "").trim().split("\n").at(-1) || "pip failed";
}

/**
 * The headers for this libtorch: on a machine with a GPU they are fetched where they are missing, and it is an error if that fails;
 * elsewhere the addon is built without, and computes on the CPU.
 */
export function provideCudaHeaders({ python, store, torch, gpu }) {
  if (!torch.cuda) return;
  const found = findCudaHeaders(torch, store);
  if (found.include.length > 0) return;
  const cuda = cudaOf(torch.root);
  const install = cuda
    ? `pip install ${headerPackages(cuda)
        .map((p) => `'${p}'`)
        .join(" ")}`
    : "install the CUDA toolkit that PyTorch was built with";
  if (!gpu) {
    say(
      `${found.problem}. No GPU here, so the addon is built for the CPU alone (${install}, or set CUDA_HOME, for more).`,
    );
    return;
  }
  const failure = cuda ? fetchHeaders(python, store, cuda) : "PyTorch does not say its CUDA version";
  if (failure !== undefined || findCudaHeaders(torch, store).include.length === 0)
    throw new SetupError(
      `${found.problem}, and they could not be fetched (${failure ?? "the packages lack them"}): ${install}, or set CUDA_HOME.`,
    );
}
