import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../files/atomic.js";
import { explainDiskError, hasCode } from "../files/disk.js";

/**
 * A manifest lists a folder's files with size and SHA-256 and is written after all of them. A folder without one was
 * never finished; one whose files differ from it is damaged. SHA-256 runs at 1.8 GB/s here, well above most disks.
 */
export const MANIFEST_FILE = "manifest.json";

const Manifest = z.object({
  version: z.literal(1),
  step: z.int().nonnegative(),
  files: z.array(z.object({ path: z.string(), bytes: z.int().nonnegative(), sha256: z.string() })),
});
export type Manifest = z.infer<typeof Manifest>;

const READ_BYTES = 8 << 20;

function sha256(file: string): string {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(1, fs.statSync(file).size)));
  const fd = fs.openSync(file, "r");
  try {
    for (let n = fs.readSync(fd, buffer); n > 0; n = fs.readSync(fd, buffer)) hash.update(buffer.subarray(0, n));
  } finally {
    fs.closeSync(fd);
  }
  return hash.digest("hex");
}

/** Paths of all files below `folder`, relative to it, with "/" between the parts, sorted. */
function listFiles(folder: string, prefix = ""): string[] {
  const entries = fs.readdirSync(path.join(folder, prefix), { withFileTypes: true });
  return entries
    .flatMap((entry) => {
      const name = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
      return entry.isDirectory() ? listFiles(folder, name) : [name];
    })
    .sort();
}

/** Writes the manifest of what lies in `folder` now. */
export function writeManifest(folder: string, step: number): void {
  const files = listFiles(folder)
    .filter((name) => name !== MANIFEST_FILE)
    .map((name) => {
      const file = path.join(folder, name);
      return { path: name, bytes: fs.statSync(file).size, sha256: sha256(file) };
    });
  const manifest: Manifest = { version: 1, step, files };
  writeFileAtomic(path.join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** What is wrong with a folder that should match its manifest, in words; undefined if nothing is. Reads every byte. */
export function findDamage(folder: string, step?: number): string | undefined {
  const manifest = readManifest(folder);
  if (typeof manifest === "string") return manifest;
  if (step !== undefined && manifest.step !== step) return `${MANIFEST_FILE} is of step ${manifest.step}, not ${step}`;
  for (const entry of manifest.files) {
    const damage = findFileDamage(path.join(folder, entry.path), entry);
    if (damage !== undefined) return `${entry.path} ${damage}`;
  }
  return undefined;
}

function readManifest(folder: string): Manifest | string {
  let text: string;
  try {
    text = fs.readFileSync(path.join(folder, MANIFEST_FILE), "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return `it has no ${MANIFEST_FILE}`;
    if (hasCode(error, "EISDIR")) return `${MANIFEST_FILE} is a folder`;
    throw explainDiskError(error, `read ${path.join(folder, MANIFEST_FILE)}`, folder);
  }
  try {
    const parsed = Manifest.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : `${MANIFEST_FILE} is not a checkpoint's manifest`;
  } catch {
    return `${MANIFEST_FILE} is not JSON`;
  }
}

function findFileDamage(file: string, entry: Manifest["files"][number]): string | undefined {
  const stats = fs.statSync(file, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile()) return "is missing";
  if (stats.size !== entry.bytes) return `has ${stats.size} bytes instead of ${entry.bytes}`;
  return sha256(file) === entry.sha256 ? undefined : "has other content than was saved (SHA-256 differs)";
}
