/**
 * Below float32 the CPU's library (oneDNN) compiles every product anew for a new number of rows, 0.5 ms and 0.6 MB each. Passes are
 * filled up to a multiple of so many tokens, so that few numbers come up.
 */
export const FILL = 64;
