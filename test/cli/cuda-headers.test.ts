/** scripts/lib/cuda-headers.mjs: which of CUDA's headers the addon is built with, by PyTorch folders made up here. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

interface Headers {
  cudaOf(root: string): string | undefined;
  headerPackages(cuda: string): string[];
  findCudaHeaders(torch: Torch, store: string, env: object): { include: string[]; problem?: string };
  provideCudaHeaders(setup: { python: string; store: string; torch: Torch; gpu: boolean }): void;
}
interface Torch {
  root: string;
  cuda: boolean;
}
const file = new URL("../../scripts/lib/cuda-headers.mjs", import.meta.url).href;
const { cudaOf, findCudaHeaders, headerPackages, provideCudaHeaders } = (await import(file)) as Headers;

const fresh = () => mkdtempSync(join(tmpdir(), "cuda-headers-"));

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** A torch package as pip installs it, with NVIDIA's packages beside it. */
function torchFor(cuda: string, headers: { version?: number; crt?: boolean }): Torch {
  const site = fresh();
  write(join(site, "torch/version.py"), `__version__ = '9.0.0'\ncuda: Optional[str] = '${cuda}'\nhip = None\n`);
  include(join(site, "nvidia/cu99/include"), headers);
  return { root: join(site, "torch"), cuda: true };
}

function include(folder: string, { version, crt }: { version?: number; crt?: boolean }): void {
  if (version) write(join(folder, "cuda_runtime_api.h"), `#define CUDART_VERSION  ${version}\n`);
  if (crt) write(join(folder, "crt/host_defines.h"), "");
}

test.each([
  ["version.py", "__version__ = '2.14.1+cu130'\ncuda: Optional[str] = '13.0'\n", "13.0"],
  ["version.py", "__version__ = '2.10.0'\ncuda = '12.8'\n", "12.8"],
  ["version.py", "__version__ = '2.13.0+cpu'\ncuda = None\n", undefined],
  ["build-version", "2.13.0+cu126\n", "12.6"],
  ["build-version", "2.13.0+cpu\n", undefined],
])("%s tells the CUDA PyTorch was built for: %j", (name, text, expected) => {
  const root = fresh();
  write(join(root, name), text);
  expect(cudaOf(root)).toBe(expected);
});

test("PyTorch's own headers come first; crt/ may lie in another of its packages", () => {
  const torch = torchFor("99.1", { version: 99010 });
  const site = dirname(torch.root);
  include(join(site, "nvidia/crt/include"), { crt: true });
  expect(findCudaHeaders(torch, fresh(), {})).toEqual({
    include: [join(site, "nvidia/cu99/include"), join(site, "nvidia/crt/include")],
  });
});

test("headers of another CUDA, or without crt/, are not used", () => {
  const home = fresh();
  include(join(home, "include"), { version: 98040, crt: true });
  const found = findCudaHeaders(torchFor("99.1", { version: 99010 }), fresh(), { CUDA_HOME: home });
  expect(found.include).toEqual([]);
  expect(found.problem).toMatch(
    /needs the headers of CUDA 99\.1: those in \S+ lack crt\/; those in \S+ are of CUDA 98\.4/,
  );
});

test("CUDA_HOME of the right version is", () => {
  const home = fresh();
  include(join(home, "include"), { version: 99010, crt: true });
  const { include: found } = findCudaHeaders(torchFor("99.1", {}), fresh(), { CUDA_HOME: home });
  expect(found).toEqual([join(home, "include")]);
});

test.each([
  ["13.0", ["nvidia-cuda-runtime==13.0.*", "nvidia-cuda-crt==13.0.*"]],
  ["12.8", ["nvidia-cuda-runtime-cu12==12.8.*", "nvidia-cuda-nvcc-cu12==12.8.*"]],
])("the packages of CUDA %s", (cuda, expected) => expect(headerPackages(cuda)).toEqual(expected));

test("on a machine with a GPU, missing headers are an error that names the packages", () => {
  const setup = { python: "/none", store: fresh(), torch: torchFor("99.1", {}) };
  expect(() => provideCudaHeaders({ ...setup, gpu: true })).toThrow(
    /CUDA 99\.1.*could not be fetched.*pip install 'nvidia-cuda-runtime==99\.1\.\*' 'nvidia-cuda-crt==99\.1\.\*'/,
  );
  expect(() => provideCudaHeaders({ ...setup, gpu: false })).not.toThrow();
  expect(() => provideCudaHeaders({ ...setup, torch: { root: "/none", cuda: false }, gpu: true })).not.toThrow();
});
