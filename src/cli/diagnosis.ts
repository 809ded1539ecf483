import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import { fileURLToPath } from "node:url";
import type { Native } from "../torch/native.js";
import type { OwnOperators } from "../torch/system.js";
import { packageVersion } from "./program.js";

export interface Diagnosis {
  /** Name to value, in the order to show. */
  facts: Record<string, string>;
  /** What keeps open-rs from running, each with what to do. */
  problems: string[];
  /** What will matter only later, such as a missing compiler. */
  warnings: string[];
}

/** build/libtorch.json, which set-up writes. */
interface Origin {
  root: string;
  version: string;
  source: string;
  cuda: boolean;
}

/** scripts/lib/prerequisites.mjs: each check throws one line that says what to install. */
interface Prerequisites {
  checkNode(): void;
  findPython(): string;
  checkPip(python: string): void;
  checkCompiler(): void;
}

const PROJECT = new URL("../../", import.meta.url);

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

function readOrigin(): Origin | undefined {
  const file = fileURLToPath(new URL("build/libtorch.json", PROJECT));
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Origin) : undefined;
}

/** Lines of the driver's own tool, "NVIDIA H200, 143771 MiB"; none without a driver. */
function driverGpus(): string[] {
  const query = ["--query-gpu=name,memory.total", "--format=csv,noheader"];
  const run = spawnSync("nvidia-smi", query, { encoding: "utf8", timeout: 20_000 });
  return run.status === 0 ? run.stdout.trim().split("\n").filter(Boolean) : [];
}

async function loadNative(): Promise<Native | Error> {
  try {
    return (await import("../torch/native.js")).loadNative();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function describeGpus(native: Native | Error, diagnosis: Diagnosis): void {
  const inDriver = driverGpus();
  const usable = native instanceof Error ? 0 : native.cudaDeviceCount();
  const unnamed = usable > 0 ? `${usable} (CUDA)` : "none";
  diagnosis.facts.GPUs = inDriver.length === 0 ? unnamed : inDriver.join("; ");
  if (native instanceof Error) return;
  if (usable > 0 && !native.cudaCompiled()) {
    diagnosis.problems.push(
      "the addon was built without CUDA's headers, so no GPU is used: run 'open-rs setup', which fetches them",
    );
  }
  if (usable >= inDriver.length) return;
  const remedy = "install PyTorch with CUDA (or set OPEN_RS_TORCH) and run 'open-rs setup --fresh'";
  diagnosis.warnings.push(`libtorch uses ${usable} of ${inDriver.length} GPUs: ${remedy}`);
}

async function describeTorch(native: Native | Error, diagnosis: Diagnosis): Promise<void> {
  const origin = readOrigin();
  if (native instanceof Error) {
    diagnosis.facts.libtorch = origin ? `${origin.version} from ${origin.source}` : "not set up";
    const line = native.message.split("\n")[0] || "the native addon does not load";
    diagnosis.problems.push(line.includes("open-rs setup") ? line : `${line}: run 'open-rs setup' to build it again`);
    return;
  }
  const build = origin?.cuda ? "CUDA" : "CPU";
  diagnosis.facts.libtorch = `${native.version()} (${build}) from ${origin?.source ?? "an unknown place"}`;
  diagnosis.facts["libtorch folder"] = origin?.root ?? "unknown";
  const { cpuBfloat16, ownOperators } = await import("../torch/system.js");
  diagnosis.facts["CPU capability"] = native.cpuCapability();
  diagnosis.facts["own operators"] = describeOwn(ownOperators());
  diagnosis.facts["bfloat16 on CPU"] = cpuBfloat16() ?? "no instructions for it: float32 is faster";
  const limit = process.env.OMP_NUM_THREADS === undefined ? "" : ` (OMP_NUM_THREADS ${process.env.OMP_NUM_THREADS})`;
  diagnosis.facts.threads = `${native.getNumThreads()} of ${os.availableParallelism()} processors${limit}`;
}

/** Where our loops take the place of libtorch's operators, and where not. */
function describeOwn({ kernels, operators }: OwnOperators): string {
  const ours: string[] = [];
  const theirs: string[] = [];
  for (const [name, limits] of Object.entries(operators)) {
    const part = Object.entries(limits)
      .filter(([, rows]) => rows !== 0)
      .map(([dtype, rows]) => (rows === null ? dtype : `${dtype} up to ${rows} rows`));
    if (part.length === 0) theirs.push(name);
    else ours.push(part.join() === "float32,bfloat16" ? name : `${name} (${part.join(", ")})`);
  }
  const rest = theirs.length > 0 ? `; libtorch's for ${theirs.join(", ")}, faster here` : "";
  return `${kernels}: ${ours.join(", ")}${rest}`;
}

/** Set-up needs these, running does not: they are problems only while there is no addon. */
async function checkPrerequisites(diagnosis: Diagnosis, hasAddon: boolean): Promise<void> {
  const file = new URL("scripts/lib/prerequisites.mjs", PROJECT).href;
  const checks = (await import(file)) as Prerequisites;
  const withPython = () => checks.checkPip(checks.findPython());
  for (const check of [checks.checkNode, withPython, checks.checkCompiler]) {
    try {
      check();
    } catch (error) {
      const line = error instanceof Error ? error.message : String(error);
      if (hasAddon && check !== checks.checkNode) diagnosis.warnings.push(`set-up will need it: ${line}`);
      else diagnosis.problems.push(line);
    }
  }
}

export async function diagnose(): Promise<Diagnosis> {
  const diagnosis: Diagnosis = { facts: {}, problems: [], warnings: [] };
  diagnosis.facts["open-rs"] = packageVersion();
  diagnosis.facts.Node = `${process.versions.node} (${process.platform} ${process.arch})`;
  const native = await loadNative();
  await describeTorch(native, diagnosis);
  diagnosis.facts.processor = `${os.cpus()[0]?.model ?? "unknown"}`;
  diagnosis.facts.memory = `${gib(os.freemem())} free of ${gib(os.totalmem())}`;
  describeGpus(native, diagnosis);
  await checkPrerequisites(diagnosis, !(native instanceof Error));
  return diagnosis;
}
