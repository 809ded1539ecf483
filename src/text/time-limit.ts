/**
 * A time limit for synchronous code: a tokenizer's regular expressions and a chat template come with a model and are other people's
 * data; some never end. V8 asks its interrupts also inside a regular expression, and node:vm's timeout is such an interrupt.
 */
import vm from "node:vm";

let script: vm.Script | undefined;
let sandbox: { body?: () => unknown; result?: unknown } | undefined;
let limiting = false;

export class TimeLimitError extends Error {
  constructor(readonly ms: number) {
    super(`it took longer than ${ms / 1000} seconds`);
  }
}

/**
 * What `body` returns or throws; TimeLimitError after `ms`. A call inside another's body falls under that one's limit: setting one up
 * costs 0.1 ms, so many short calls are best put into one.
 */
export function withTimeLimit<T>(ms: number, body: () => T): T {
  if (limiting) return body();
  script ??= new vm.Script("result = body()");
  sandbox ??= vm.createContext({}) as NonNullable<typeof sandbox>;
  sandbox.body = body;
  limiting = true;
  try {
    script.runInContext(sandbox as vm.Context, { timeout: Math.ceil(ms) });
    return sandbox.result as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") throw new TimeLimitError(ms);
    throw error;
  } finally {
    limiting = false;
    delete sandbox.body;
    delete sandbox.result;
  }
}

const BATCH = 64;
const BATCH_MS = 3000;

/** `items.map(each)`, for calls that each have a limit of their own: a batch of them shares one; one that is slow goes one by one. */
export function mapWithTimeLimits<T, R>(items: readonly T[], each: (item: T, index: number) => R): R[] {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += BATCH) {
    const map = () => items.slice(start, start + BATCH).map((item, i) => each(item, start + i));
    try {
      for (const result of withTimeLimit(BATCH_MS, map)) results.push(result);
    } catch (error) {
      if (!(error instanceof TimeLimitError)) throw error;
      for (const result of map()) results.push(result);
    }
  }
  return results;
}
