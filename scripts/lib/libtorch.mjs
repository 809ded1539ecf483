/**
 * Where libtorch comes from: OPEN_RS_TORCH, else what this installation was built with, else the user's own PyTorch, else a wheel that
 * pip puts into a folder which all projects of the user share. A result is {root, version, source, cuda}: `root` holds lib/ and include/.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
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

/** Where what is fetched once for all projects lies: OPEN_RS_HOME, else the user's cache. */
export function home(env = process.env) {
  if (env.OPEN_RS_HOME) return resolve(env.OPEN_RS_HOME);
  const caches = process.platform === "darwin" ? join(homedir(), "Library", "Caches") : join(homedir(), ".cache");
  return join(env.XDG_CACHE_HOME || caches, "open-rs");
}

function makeStore(env) {
  const store = join(home(env), "libtorch");
  try {
    mkdirSync(store, { recursive: true });
    accessSync(store, constants.W_OK);
  } catch (error) {
    throw new SetupError(
      `${store} cannot be written (${error.code}): set OPEN_RS_HOME to a folder for libtorch (785 MB).`,
    );
  }
  return store;
}

/** Installs into a temporary folder and renames it, so that a folder with the final name is always whole. */
function fromPip(python, env) {
  const store = join(home(env), "libtorch");
  const folder = join(store, WHEEL);
  const source = `pip, in ${folder}`;
  if (isTorch(join(folder, "torch"))) return describe(join(folder, "torch"), source);
  checkPip(python);
  makeStore(env);
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

/** Another set-up may have finished first: then its copy stays. */
function moveInto(temporary, folder) {
  try {
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!isTorch(join(folder, "torch")))
      throw new SetupError(`${folder} is damaged (${error.code}): remove it and run again.`);
  }
}

/** What this installation was built with (build/libtorch.json), while it is still there. */
function remembered(project) {
  const file = join(project, "build", "libtorch.json");
  if (!existsSync(file)) return undefined;
  const known = JSON.parse(readFileSync(file, "utf8"));
  if (isTorch(known.root) && describe(known.root).version === known.version) return known;
  say(`libtorch ${known.version} in ${known.root} is gone: looking for another.`);
  return undefined;
}

/** @param {{fresh?: boolean, env?: NodeJS.ProcessEnv}} options `fresh`: as if this installation had never been set up */
export function findLibtorch(python, project, { fresh = false, env = process.env } = {}) {
  if (env.OPEN_RS_TORCH) return fromEnvironment(env.OPEN_RS_TORCH);
  const known = fresh ? undefined : remembered(project);
  const found = fromPython(python);
  if (known && found && found.root !== known.root)
    say(
      `${python} has PyTorch ${found.version} now; this installation keeps libtorch ${known.version} (open-rs setup --fresh changes that).`,
    );
  return known ?? found ?? fromPip(python, env);
}
