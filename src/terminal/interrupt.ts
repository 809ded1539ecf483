/**
 * Ctrl-C. The first SIGINT or SIGTERM asks the run to stop: it finishes its step, saves and says how to resume.
 * A second one ends the process at once (status 130, or 143 for SIGTERM, in the shell).
 *
 * libtorch's calls block Node's event loop, and with it JavaScript signal handlers. So, once the first signal is seen,
 * the handlers are removed and the kernel's default takes over: it ends the process even inside a native call.
 * Long loops call `yieldToEvents` so that the first signal is seen soon.
 */
export interface Interrupt {
  /** True from the first signal on. */
  readonly stopRequested: boolean;
  /** Aborted at the first signal of the system. Unlike a promise it lets go of what no longer waits for it. */
  readonly stopped: AbortSignal;
  /** Takes the handlers away; the flag stays. */
  dispose(): void;
}

/** npm and npx pass a terminal's Ctrl-C on to a child that has got it already: one press comes twice. */
const SAME_PRESS_MS = 300;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Starts to listen.
 * @param onFirst is called once, with the signal: to tell the user what happens now
 */
export function watchInterrupt(onFirst?: (signal: NodeJS.Signals) => void): Interrupt {
  let stopRequested = false;
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const dispose = () => {
    clearTimeout(timer);
    for (const signal of SIGNALS) process.removeListener(signal, handle);
  };
  const handle = (signal: NodeJS.Signals) => {
    if (stopRequested) return;
    stopRequested = true;
    timer = setTimeout(dispose, SAME_PRESS_MS).unref();
    stopping.abort();
    onFirst?.(signal);
  };
  for (const signal of SIGNALS) process.on(signal, handle);
  return {
    stopped: stopping.signal,
    get stopRequested() {
      return stopRequested;
    },
    dispose,
  };
}

/**
 * Lets the event loop turn once, so that waiting signals, timers and I/O are handled. Costs microseconds.
 * Two turns of setImmediate: from inside the poll phase the first one comes before the next poll.
 */
export async function yieldToEvents(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}
