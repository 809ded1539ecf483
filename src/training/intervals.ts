/** An interval of steps as a recipe gives it: a number of steps or, below 1, a share of the run, rounded up as transformers does. */
export function stepsOf(interval: number, totalSteps: number): number {
  return interval < 1 ? Math.ceil(totalSteps * interval) : interval;
}

/** Whether something that happens every `interval` is due after `step`. */
export function isDue(step: number, interval: number, totalSteps: number): boolean {
  return step % stepsOf(interval, totalSteps) === 0;
}
