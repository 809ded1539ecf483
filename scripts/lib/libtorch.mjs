/**
 * Where libtorch comes from: OPEN_RS_TORCH, else the user's own PyTorch, else a wheel that pip puts into .libtorch.
 * A result is {root, version, source, cuda}: `root` holds lib/ and include/.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { checkPip, probe } from "./prerequisites.mjs";
import { SetupError, say } from "./say.mjs";

export const WHEEL = "2.13.0";
export const OLDEST_TORCH = [2, 10];

const SUFFIX = process.platform === "darwin" ? "dylib" : "so";

export function library(root, name) {
  return join(root, "lib", `lib${name}.${SUFFIX}`);
}

function isTorch(root) {
  return existsSync(library(root, "torch_cpu")) && existsSync(join(root, "include", "ATen", "ATen.h"));
}

/** Version of a torch package (version.py) or of a libtorch archive (build-version); undefined if neither says. */
function versionOf(root) {
  const python = join(root, "version.py");
  if (existsSync(python)) return /__version__ = ['"]([^'"]+)/.exec(readFileSync(python, "utf8"))?.[1];
  const archive = join(root, "build-version");
  return existsSync(archive) ? readFileSync(archive, "utf8").trim() : undefined;
}

function describe(root, source) {
  return { root, version: versionOf(root) ?? "unknown", source, cuda: existsSync(library(root, "torch_cuda")) };
}

function isRecent(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > OLDEST_TORCH[0] || (major === OLDEST_TORCH[0] && minor >= OLDEST_TORCH[1]);
}

function fromEnvironment(folder) {
  const root = [folder, join(folder, "torch"), join(folder, "libtorch")].map((f) => resolve(f)).find(isTorch);
  if (!root)
    throw new SetupError(
      `OPEN_RS_TORCH=${folder} holds no libtorch: name a folder with lib/ and include/, or unset it.`,
    );
  const found = describe(root, "OPEN_RS_TORCH");
  if (found.version !== "unknown" && !isRecent(found.version))
    throw new SetupError(
      `OPEN_RS_TORCH=${folder} is libtorch ${found.version}: open-rs needs ${OLDEST_TORCH.join(".")} or newer.`,
    );
  return found;
}

/** Finds the package without importing it: importing takes seconds, and a wheel whose CUDA is broken cannot be imported. */
function fromPython(python) {
  const find =
    "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')";
  const { ok, text } = probe(python, ["-c", find]);
  if (!ok || !text || !isTorch(text)) return undefined;
  const found = describe(text, `PyTorch of ${python}`);
  if (isRecent(found.version)) return found;
  say(`PyTorch ${found.version} in ${text} is older than ${OLDEST_TORCH.join(".")}: not used.`);
  return undefined;
}

export function hasGpu() {
  return existsSync("/proc/driver/nvidia/version") || probe("nvidia-smi", ["-L"]).ok;
}

/**
 * The ways to ask pip, best first. PyPI's Linux wheel is built for CUDA and cannot be loaded without NVIDIA's packages,
 * so a machine with no GPU is given the +cpu wheel, from the user's own index or from PyTorch's.
 */
function pipRequests(gpu) {
  if (process.platform !== "linux") return [["--no-deps", `torch==${WHEEL}`]];
  if (gpu) return [[`torch==${WHEEL}`]];
  const cpu = ["--no-deps", `torch==${WHEEL}+cpu`];
  const quick = ["--timeout", "15", "--retries", "1", "--extra-index-url", "https://download.pytorch.org/whl/cpu"];
  return [cpu, [...quick, ...cpu], ["--no-deps", `torch==${WHEEL}`], [`torch==${WHEEL}`]];
}

/** Whether this wheel can be loaded as installed: a CUDA build needs its NVIDIA packages beside it. */
function isComplete(folder) {
  const root = join(folder, "torch");
  return isTorch(root) && (!existsSync(library(root, "torch_cuda")) || existsSync(join(folder, "nvidia")));
}

function pip(python, target, request) {
  rmSync(target, { recursive: true, force: true });
  const flags = ["--disable-pip-version-check", "--no-compile", "--quiet", "--target", target];
  const run = spawnSync(python, ["-m", "pip", "install", ...flags, ...request], { encoding: "utf8" });
  return run.status === 0 && isComplete(target) ? undefined : (run.stderr ?? "").trim() || "the wheel lacks libraries";
}

/** What an interrupted set-up left behind: folders whose process is gone. */
function removeLeftovers(store) {
  for (const name of existsSync(store) ? readdirSync(store) : []) {
    const pid = /^tmp-(\d+)$/.exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) rmSync(join(store, name), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Installs into a temporary folder and renames it, so that a folder with the final name is always whole. */
function fromPip(python, project) {
  const store = join(project, ".libtorch");
  const folder = join(store, WHEEL);
  const source = `pip, in ${folder}`;
  if (isTorch(join(folder, "torch"))) return describe(join(folder, "torch"), source);
  checkPip(python);
  mkdirSync(store, { recursive: true });
  removeLeftovers(store);
  const temporary = join(store, `tmp-${process.pid}`);
  say(`installing libtorch ${WHEEL} with pip into ${store} (once; about 200 MB, more with a GPU) ...`);
  let failure;
  for (const request of pipRequests(hasGpu())) {
    failure = pip(python, temporary, request);
    if (failure === undefined) break;
  }
  if (failure !== undefined) {
    rmSync(temporary, { recursive: true, force: true });
    const last =
      failure
        .split("\n")
        .filter((line) => line.startsWith("ERROR"))
        .at(-1) ?? failure.split("\n").at(-1);
    throw new SetupError(`pip could not install torch==${WHEEL}: ${last} (or set OPEN_RS_TORCH to a libtorch folder).`);
  }
  moveInto(temporary, folder);
  return describe(join(folder, "torch"), source);
}

/** Another set-up of this clone may have finished first: then its copy stays. */
function moveInto(temporary, folder) {
  try {
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!isTorch(join(folder, "torch")))
      throw new SetupError(`${folder} is damaged (${error.code}): remove it and run again.`);
  }
}

export function findLibtorch(python, project, env = process.env) {
  if (env.OPEN_RS_TORCH) return fromEnvironment(env.OPEN_RS_TORCH);
  return fromPython(python) ?? fromPip(python, project);
}
