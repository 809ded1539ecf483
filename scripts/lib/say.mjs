/** Everything set-up prints: one line each, on stderr so that a caller's stdout stays clean. */
export function say(line) {
  process.stderr.write(`open-rs: ${line}\n`);
}

/** A reason set-up cannot go on, with what to do about it: printed as one line, exit code 1. */
export class SetupError extends Error {}
