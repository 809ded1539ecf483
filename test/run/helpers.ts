import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { buildSync } from "esbuild";
import { afterAll, vi } from "vitest";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
});

/** A fresh folder, removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "open-rs-run-"));
  folders.push(folder);
  return folder;
}

/** Every file below `folder` with its content: to see that nothing changed. */
export function contentOf(folder: string): Record<string, string> {
  const names = fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const files = names.filter((name) => fs.statSync(path.join(folder, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, fs.readFileSync(path.join(folder, name), "latin1")]));
}

/** The calls that change the disk. */
export const DISK_CALLS = ["mkdirSync", "openSync", "writeSync", "fsyncSync", "renameSync"] as const;
export type DiskCall = (typeof DISK_CALLS)[number];

/** Makes the n-th call (from 0) of a file-system function and all later ones fail with `code`, until `vi.restoreAllMocks`. */
export function failDisk(name: DiskCall, n: number, code: string): { calls: () => number } {
  const original = fs[name] as (...args: unknown[]) => unknown;
  let calls = 0;
  vi.spyOn(fs, name).mockImplementation(((...args: unknown[]) => {
    if (calls++ < n) return original(...args);
    throw Object.assign(new Error(`${code}: injected, ${name}`), { code });
  }) as never);
  return { calls: () => calls };
}

/** Bundles TypeScript into one file that plain Node runs at once (tsx takes half a second to start). */
export function bundle(source: string, folder: string): string {
  const outfile = path.join(folder, "program.mjs");
  buildSync({
    stdin: { contents: source, resolveDir: path.resolve(import.meta.dirname, "../.."), loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    logLevel: "error",
    // CommonJS packages inside the bundle call require.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
  return outfile;
}
