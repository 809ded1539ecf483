/** How a failed command ends: a line for what the user can mend, a stack for what we must. */

const EXPECTED = new Set(["UserError", "TorchError"]);

export function formatError(error: unknown, debug: boolean): string {
  if (!(error instanceof Error)) return `error: ${String(error)}`;
  if (debug) return error.stack ?? `${error.name}: ${error.message}`;
  if (EXPECTED.has(error.name)) return `error: ${error.message}`;
  return `internal error, please report it: ${error.stack ?? error.message}`;
}
