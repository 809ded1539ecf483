import fs from "node:fs";
import { UserError } from "../errors.js";

/**
 * What is named as a file is one: folders of models and data are other people's, and a FIFO there would be waited for without end.
 * A path where nothing is passes; opening it says so better.
 */
export function assertRegularFile(path: string): void {
  const stats = fs.statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.isFile()) return;
  throw new UserError(
    `${path} is ${stats.isDirectory() ? "a folder" : "no regular file (a FIFO, a device?)"}: a file is needed`,
  );
}

export function readTextFile(path: string): string {
  assertRegularFile(path);
  return fs.readFileSync(path, "utf8");
}
