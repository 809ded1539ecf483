/** How a failed command ends: a line for what the user can mend, a stack for what we must. */
import { dirname } from "node:path";
import { shortened, UserError } from "../errors.js";
import { explainDiskError } from "../files/disk.js";

/** A reward may throw megabytes. */
const MOST_CHARACTERS = 8000;

export function formatError(error: unknown, debug: boolean): string {
  if (!(error instanceof Error)) return `error: ${shortened(String(error), MOST_CHARACTERS)}`;
  if (debug) return error.stack ?? `${error.name}: ${error.message}`;
  const told = expected(error);
  if (told !== undefined) return `error: ${shortened(told.message, MOST_CHARACTERS)}`;
  return `internal error, please report it: ${shortened(error.stack ?? error.message, MOST_CHARACTERS)}`;
}

/** The error, if the user can act on it; not an `instanceof` for libtorch's, which would load it. */
function expected(error: Error): Error | undefined {
  if (error instanceof UserError || error.name === "UserError" || error.name === "TorchError") return error;
  const { syscall, path } = error as NodeJS.ErrnoException;
  if (syscall === undefined || path === undefined) return undefined;
  const explained = explainDiskError(error, `${syscall} ${path}`, dirname(path));
  return explained instanceof UserError ? explained : undefined;
}
