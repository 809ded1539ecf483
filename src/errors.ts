/**
 * An error the user can act on: the message names the values and the next action.
 * The CLI prints it as one line with exit code 1 and no stack (`--debug` shows the stack).
 * Broken invariants are plain `Error`s (assertions) and keep their stack.
 */
export class UserError extends Error {
  override name = "UserError";
}

/** Throws an ordinary Error when an invariant of ours is broken. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${message}`);
}

const READ_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a folder",
  EACCES: "its permissions do not allow it",
};

/** Why a file could not be read, in words. */
export function readProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const known = "code" in error ? READ_PROBLEMS[String(error.code)] : undefined;
  return known ?? error.message;
}

/** Other people's text in a message of ours: its beginning, and how long it was. */
export function shortened(text: string, most = 500): string {
  return text.length <= most ? text : `${text.slice(0, most)}… (${text.length} characters)`;
}
