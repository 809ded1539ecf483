/** Signs of life of a lock, for those who cannot ask for the process: the file's time is set anew every few seconds. */
import fs from "node:fs";
import { Worker } from "node:worker_threads";

// A thread of its own, since libtorch's calls block the main one for minutes. A file that is gone or another's is left alone; a beat
// that fails otherwise (a network drive that is away) is one missed, and the next one counts.
const BEAT = `
const { workerData: { file, text, beat } } = require("node:worker_threads");
const fs = require("node:fs");
setInterval(() => {
  try {
    if (fs.readFileSync(file, "utf8") === text) fs.utimesSync(file, new Date(), new Date());
  } catch {}
}, beat);
`;

/** Begins to beat; the returned function ends it. It keeps no process from ending. */
export function startHeartbeat(file: string, text: string, beat: number): () => void {
  const worker = new Worker(BEAT, { eval: true, workerData: { file, text, beat } });
  worker.unref();
  return () => void worker.terminate();
}

const POLL = 100;

/** Whether the file changes, or goes and comes again, within `patience` ms. Blocks. */
export function beats(file: string, patience: number): boolean {
  const before = stampOf(file);
  for (let waited = 0; waited < patience; waited += POLL) {
    sleep(POLL);
    const now = stampOf(file);
    if (now === undefined) return false;
    if (now !== before) return true;
  }
  return false;
}

function stampOf(file: string): string | undefined {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat && `${stat.ino}/${stat.mtimeMs}`;
}

export function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
