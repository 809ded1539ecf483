import { existsSync, lstatSync, symlinkSync } from "node:fs";
import { join } from "node:path";

/** Whether a link (even one to nothing) or a file is there. */
function isThere(path) {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Lets `npx open-rs` work inside a clone: npm links the commands of dependencies only, not the package's own. */
export function linkCommand(project) {
  const folder = join(project, "node_modules", ".bin");
  const link = join(folder, "open-rs");
  if (existsSync(folder) && !isThere(link)) symlinkSync(join("..", "..", "bin", "open-rs.js"), link);
}
