/** The sources of our kernels for GPUs (native/cuda/), and NVRTC, which compiles them where they run. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { DType } from "./dtype.js";
import { native } from "./native.js";

/** Both src/torch and dist/torch are two folders below the project. */
const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/** Kernels by the file they are in. */
export const PROGRAMS = {
  layers: ["siluMul", "addRmsNorm", "rotateAndStore"],
  draw: ["drawChunks", "drawPick"],
  head: ["headScores", "headGradient"],
} as const;

export type Program = keyof typeof PROGRAMS;

/** The dtypes they are made for, as they call them. */
export const KERNEL_TYPES: Partial<Record<DType, string>> = { float32: "float", bfloat16: "bf16" };

const sourceOf = (name: string): string => readFileSync(path.join(PROJECT, "native", "cuda", `${name}.cu`), "utf8");

/** A machine's code for a compute capability such as 9.0, and the kernels' names in it. @throws TorchError with the compiler's words */
export function compileProgram(
  program: Program,
  dtype: DType,
  capability: string,
  library = findNvrtc(),
): [binary: ArrayBuffer, names: string[]] {
  const source = sourceOf("common") + sourceOf(program);
  const expressions = PROGRAMS[program].map((name) => `${name}<${KERNEL_TYPES[dtype]}>`);
  const options = [`--gpu-architecture=sm_${capability.replace(".", "")}`, "--std=c++17"];
  return native.nvrtcCompile(library, source, `${program}.cu`, options, expressions);
}

/** NVRTC of PyTorch's own packages, else whichever the loader finds. */
export function findNvrtc(): string {
  const packages = nvidiaPackages();
  const libraries = packages.flatMap((folder) => filesIn(path.join(folder, "lib")));
  return libraries.find((file) => /^libnvrtc\.so\.\d+$/.test(path.basename(file))) ?? "libnvrtc.so";
}

function nvidiaPackages(): string[] {
  const origin = path.join(PROJECT, "build", "libtorch.json");
  if (!existsSync(origin)) return [];
  const { root } = JSON.parse(readFileSync(origin, "utf8")) as { root: string };
  return filesIn(path.join(root, "..", "nvidia"));
}

const filesIn = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).map((name) => path.join(folder, name)) : [];
