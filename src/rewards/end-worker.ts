/**
 * The end of a worker thread that may be waiting for a process (execSync): it cannot be ended before that process is, so that one is.
 * Linux knows which thread started a process; elsewhere none is found, and it is waited for.
 */
import { readdirSync, readFileSync } from "node:fs";
import type { Worker } from "node:worker_threads";

const PATIENCE_MS = 200;

/** What a worker runs first: it writes its id in the system into `workerData.thread`, an Int32Array of shared memory. */
export const TELL_THREAD = `
try {
  require("node:worker_threads").workerData.thread[0] = Number(require("node:fs").readlinkSync("/proc/thread-self").split("/").pop());
} catch {} // no /proc
`;

export const sharedThreadId = (): Int32Array => new Int32Array(new SharedArrayBuffer(4));

/** @param thread what the worker told */
export async function endWorker(worker: Worker, thread: Int32Array): Promise<void> {
  const timer = setInterval(() => killChildrenOf(thread[0]!), PATIENCE_MS);
  try {
    await worker.terminate();
  } finally {
    clearInterval(timer);
  }
}

/** Ends what the thread started, and what that started. */
function killChildrenOf(thread: number): void {
  for (const pid of childrenOf(`/proc/self/task/${thread}/children`).flatMap(withDescendants)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      // It ended in this moment.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

function withDescendants(pid: number): number[] {
  const tasks = list(`/proc/${pid}/task`);
  return [pid, ...tasks.flatMap((task) => childrenOf(`/proc/${pid}/task/${task}/children`)).flatMap(withDescendants)];
}

function childrenOf(file: string): number[] {
  try {
    return readFileSync(file, "utf8").trim().split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return []; // ended meanwhile, or a kernel that does not tell
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // ended meanwhile
  }
}
