/** The worker's side of a user's rewards: loads the file, calls its functions, reports. Runs in a worker thread only. */
import { parentPort } from "node:worker_threads";
import { assert, shortened } from "../errors.js";
import { recorder } from "./log.js";
import type { Call, Report } from "./user-types.js";

type AnyFunction = (...args: unknown[]) => unknown;

/**
 * @param load imports the user's file
 * @param fallbackName name of a default export without one of its own
 */
export async function serve(load: () => Promise<Record<string, unknown>>, fallbackName: string): Promise<void> {
  const port = parentPort;
  assert(port, "user-worker runs outside a worker");
  const report = (message: Report): void => port.postMessage(message);
  process.setSourceMapsEnabled(true);
  let functions: Map<string, AnyFunction>;
  try {
    functions = exportedFunctions(await load(), fallbackName);
  } catch (error) {
    report({ kind: "unloadable", message: describe(error) });
    return;
  }
  port.on("message", (call: Call) => answer(call, functions, report));
  report({
    kind: "ready",
    functions: [...functions].map(([name, call]) => ({ name, batch: "batch" in call && call.batch === true })),
  });
}

function exportedFunctions(module: Record<string, unknown>, fallbackName: string): Map<string, AnyFunction> {
  const functions = new Map<string, AnyFunction>();
  for (const [key, value] of Object.entries(module)) {
    if (typeof value !== "function") continue;
    const ownName = value.name === "default" ? "" : value.name;
    functions.set(key === "default" ? ownName || fallbackName : key, value as AnyFunction);
  }
  return functions;
}

function answer(
  { id, name, args, size }: Call,
  functions: Map<string, AnyFunction>,
  report: (message: Report) => void,
): void {
  const fail = (error: unknown): void => report({ kind: "threw", id, message: describe(error) });
  const { log_metric, log_extra, logged } = recorder(size);
  report({ kind: "started", id });
  try {
    const result = functions.get(name)?.({ ...args, log_metric, log_extra });
    report({ kind: "returned", id });
    Promise.resolve(result)
      .then((value) => report({ kind: "value", id, value, logged }))
      .catch(fail);
  } catch (error) {
    fail(error);
  }
}

/** An error in a line or two: its message, and the place in the user's file. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return shortened(String(error));
  const place = error.stack?.split("\n").find((line) => /^\s+at /.test(line) && !line.includes("node:internal"));
  return `${error.name}: ${shortened(error.message)}${place ? ` (${shortened(place.trim())})` : ""}`;
}
