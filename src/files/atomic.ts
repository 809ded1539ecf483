import fs from "node:fs";
import path from "node:path";
import { discard, explainDiskError } from "./disk.js";

/**
 * Files that exist whole or not at all. Content goes to a temporary name in the same folder, is forced to the disk,
 * and is then renamed: rename(2) is atomic, so a kill or a power cut leaves the old file or the new one.
 * A file that another process (or our own memory map) still reads keeps its old content, since its inode lives on.
 *
 * All calls go through the default export of node:fs, so that tests can make any of them fail.
 */

/** Temporary names start with this; `cleanRunFolder` removes what killed processes left. */
export const TEMPORARY_PREFIX = ".tmp-";

/** One write(2) moves at most 2 GiB − 4 KiB; smaller pieces cost nothing. */
const MAX_WRITE = 1 << 28;

/** Writes all of `bytes`: one write(2) may take only a part. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) done += fs.writeSync(fd, bytes, done, Math.min(MAX_WRITE, bytes.length - done));
}

/** Forces a folder's entries (names, renames) to the disk. */
export function fsyncFolder(folder: string): void {
  const fd = fs.openSync(folder, "r");
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Forces every file and folder below `folder`, and `folder` itself, to the disk. */
export function fsyncTree(folder: string): void {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const child = path.join(folder, entry.name);
    if (entry.isDirectory()) fsyncTree(child);
    else if (entry.isFile()) fsyncFolder(child);
  }
  fsyncFolder(folder);
}

/**
 * Writes a file atomically and durably.
 * @param content the whole content, or its pieces in order (a generator keeps only one in memory)
 * @throws UserError when the disk is full, read-only, …; the temporary file is gone and the old content intact
 */
export function writeFileAtomic(target: string, content: string | Uint8Array | Iterable<Uint8Array>): void {
  const folder = path.dirname(target);
  const temporary = path.join(folder, `${TEMPORARY_PREFIX}${path.basename(target)}-${process.pid}`);
  try {
    writeDurably(temporary, piecesOf(content));
    fs.renameSync(temporary, target);
    fsyncFolder(folder);
  } catch (error) {
    discard(temporary);
    throw explainDiskError(error, `write ${target}`, folder);
  }
}

function piecesOf(content: string | Uint8Array | Iterable<Uint8Array>): Iterable<Uint8Array> {
  if (typeof content === "string") return [Buffer.from(content)];
  return content instanceof Uint8Array ? [content] : content;
}

function writeDurably(file: string, pieces: Iterable<Uint8Array>): void {
  const fd = fs.openSync(file, "w");
  try {
    for (const piece of pieces) writeAll(fd, piece);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
