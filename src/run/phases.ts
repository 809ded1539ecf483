/** The parts of a step by name, for whoever measures them; without a watch a phase is only a call. */

export interface PhaseWatch {
  enter(name: string): void;
  leave(name: string): void;
}

let watch: PhaseWatch | null = null;

/** Sets who is told of phases from now on; null: nobody. */
export function watchPhases(next: PhaseWatch | null): void {
  watch = next;
}

/** Runs `part`, to the end of its promise if it gives one, as the phase `name`. Phases nest; they never overlap otherwise. */
export function phase<T>(name: string, part: () => T): T {
  if (watch === null) return part();
  const { enter, leave } = watch;
  enter(name);
  let result: T;
  try {
    result = part();
  } catch (error) {
    leave(name);
    throw error;
  }
  if (!(result instanceof Promise)) {
    leave(name);
    return result;
  }
  return result.finally(() => leave(name)) as T;
}
