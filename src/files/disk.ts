import fs from "node:fs";
import path from "node:path";
import { UserError } from "../errors.js";

/** File-system error codes a user can act on, and the action. */
const NEXT_ACTION: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space and run the same command again",
  EDQUOT: "the disk quota is used up; free some space and run the same command again",
  EFBIG: "the file is larger than this file system or `ulimit -f` allows",
  EROFS: "the file system is read-only; choose a folder on another one",
  EACCES: "permission denied; choose another folder or change its permissions",
  EPERM: "permission denied; choose another folder or change its permissions",
  ENOENT: "a part of the path is gone; was it removed while the run was using it? Run the same command again",
  EISDIR: "it is a folder where a file should be; remove it or choose another path",
  ENOTDIR: "a part of the path is a file, not a folder; choose another path",
  ELOOP: "the path is a loop of symbolic links; choose another path",
  ENAMETOOLONG: "the path is too long; choose a shorter one",
  EMFILE: "too many open files; raise `ulimit -n`",
  EIO: "the disk reports an input/output error; check it before going on",
};

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** True if `error` is a file-system error with this code, such as "ENOENT". */
export function hasCode(error: unknown, code: string): boolean {
  return codeOf(error) === code;
}

/** Removes a temporary file or folder after a failure. A failure of this, too, must not hide the first one. */
export function discard(target: string): void {
  try {
    fs.rmSync(target, { recursive: true, force: true });
  } catch {
    // It stays under its temporary name, which the next start removes.
  }
}

/** Bytes in words: "512 B", "3.5 MB", "41.2 GB" (decimal units, as `df -H` and disk labels have them). */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return `${unit === 0 ? bytes : bytes.toFixed(1)} ${units[unit]}`;
}

/** Bytes an unprivileged process may still write beside `target`, or undefined where that cannot be read. */
export function freeBytes(target: string): number | undefined {
  try {
    const stats = fs.statfsSync(fs.existsSync(target) ? target : path.dirname(target));
    return stats.bavail * stats.bsize;
  } catch {
    return undefined; // only a detail of an error message: never an error of its own
  }
}

/**
 * Turns a file-system error the user can act on into a UserError; returns anything else unchanged.
 * @param doing what failed, with its path: "save checkpoint-50 in /runs/a"
 */
export function explainDiskError(error: unknown, doing: string, folder: string): unknown {
  // An inner step may have explained it already: the outer one says better what the user lost.
  const code = codeOf(error instanceof UserError ? error.cause : error);
  const action = code === undefined ? undefined : NEXT_ACTION[code];
  if (action === undefined) return error;
  const free = code === "ENOSPC" ? freeBytes(folder) : undefined;
  const left = free === undefined ? "" : ` (${formatBytes(free)} free)`;
  const cause = error instanceof UserError ? error.cause : error;
  return new UserError(`cannot ${doing}: ${action}${left} [${code}]`, { cause });
}

/**
 * Creates `folder` if needed and proves that files can be written there, so that a run fails before any training.
 * @throws UserError if not, with the reason
 */
export function assertWritableFolder(folder: string): void {
  const probe = path.join(folder, `.tmp-write-probe-${process.pid}`);
  try {
    makeFolders(folder);
    if (!fs.statSync(folder).isDirectory())
      throw new UserError(`cannot write to ${folder}: it is a file, not a folder`);
    fs.writeFileSync(probe, "open-rs");
  } catch (error) {
    discard(probe);
    if (hasCode(error, "EEXIST")) throw new UserError(`cannot write to ${folder}: it is a file, not a folder`);
    if (hasCode(error, "ENOENT"))
      throw new UserError(`cannot create the folder ${folder}: choose another path [ENOENT]`);
    throw explainDiskError(error, `write to ${folder}`, folder);
  }
  discard(probe);
}

/** Not `mkdir(…, { recursive: true })`: Node's loops for ever where a parent can be neither found nor made (/proc/nope/run). */
function makeFolders(folder: string): void {
  if (fs.existsSync(folder)) return;
  const parent = path.dirname(path.resolve(folder));
  if (!fs.existsSync(parent)) makeFolders(parent);
  fs.mkdirSync(folder);
}
