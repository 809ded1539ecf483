/** A Launcher that runs our CUDA kernels on the CPU: their own sources, compiled as C++ with what shim.cc stands in for. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type Argument, kindOf, type Launcher } from "../../../src/torch/cuda-kernels.js";
import { KERNEL_TYPES, PROGRAMS } from "../../../src/torch/cuda-programs.js";
import { ITEM_BYTES, ops, scope, Tensor, tensor } from "../../../src/torch/index.js";
import { native } from "../../../src/torch/native.js";
import { temporaryFolder } from "../tiny-run.js";

const here = path.dirname(fileURLToPath(import.meta.url));
const sources = path.join(here, "..", "..", "..", "native", "cuda");

function build(): string {
  const program = path.join(temporaryFolder(), "shim");
  const args = ["-std=c++20", "-O1", "-Wall", "-I", sources, path.join(here, "shim.cc"), "-o", program];
  const { status, stderr } = spawnSync(process.env.CXX || "g++", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return program;
}

export function shimLauncher(): Launcher {
  const program = build();
  const names: string[] = [];
  return {
    load: (file, dtype) => PROGRAMS[file].map((name) => names.push(`${name}<${KERNEL_TYPES[dtype]}>`) - 1),
    launch: (kernel, blocks, threads, args) => run(program, [names[kernel]!, ...blocks, threads, args]),
  };
}

type Launch = [name: string, x: number, y: number, threads: number, args: readonly Argument[]];

function run(program: string, [name, x, y, threads, args]: Launch): void {
  const parts = args.flatMap((arg) => {
    const bytes = bytesOf(arg);
    return [int(kindOf(arg).charCodeAt(0)), int(bytes.length), bytes];
  });
  const input = Buffer.concat([
    int(name.length),
    Buffer.from(name),
    int(x),
    int(y),
    int(threads),
    int(args.length),
    ...parts,
  ]);
  const { status, stdout } = spawnSync(program, { input, maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${name} ended with ${status}`);
  let at = 0;
  for (const arg of args) {
    if (!(arg instanceof Tensor)) continue;
    const size = arg.numel * ITEM_BYTES[arg.dtype];
    fill(arg, stdout.subarray(at, at + size));
    at += size;
  }
}

const int = (n: number): Buffer => Buffer.from(Uint32Array.of(n).buffer);

function bytesOf(arg: Argument): Buffer {
  if (arg === null) return Buffer.alloc(0);
  if (typeof arg === "number") return Buffer.from(BigInt64Array.of(BigInt(arg)).buffer);
  return "float" in arg ? Buffer.from(Float32Array.of(arg.float).buffer) : Buffer.from(native.toBytes(arg.handle));
}

function fill(target: Tensor, bytes: Buffer): void {
  const raw = new Uint8Array(bytes);
  scope(
    () => void ops.copy_(target, ops.viewDtype(tensor(raw, [raw.length], "uint8"), target.dtype).view(...target.shape)),
  );
}
