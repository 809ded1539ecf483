import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { UserError } from "../errors.js";
import { explainDiskError, hasCode } from "../files/disk.js";

/** One process per run folder: two would overwrite each other's checkpoints. */
export const LOCK_FILE = ".run.lock";

export interface RunLock {
  /** Frees the folder; called by itself when the process exits. Calling it twice is fine. */
  release(): void;
}

interface Owner {
  pid: number;
  host: string;
  /** When the process started (Linux: boot id and clock ticks), since pids are used again; "" where unknown. */
  started: string;
}

/**
 * Takes the run folder for this process. The lock of a process that is gone is taken over.
 * @throws UserError naming the pid if another live process (or this one) has it
 */
export function acquireRunLock(runDir: string): RunLock {
  const file = path.join(runDir, LOCK_FILE);
  const self: Owner = { pid: process.pid, host: os.hostname(), started: startOf(process.pid) };
  const text = `${JSON.stringify(self)}\n`;
  try {
    fs.mkdirSync(runDir, { recursive: true });
    while (!createWith(file, text)) removeIfStale(file, runDir);
  } catch (error) {
    throw explainDiskError(error, `lock ${runDir}`, runDir);
  }
  const release = () => {
    process.removeListener("exit", release);
    if (readText(file) === text) fs.rmSync(file, { force: true });
  };
  process.once("exit", release);
  return { release };
}

/** Creates the lock together with its content (link(2) is atomic and fails if the name exists). */
function createWith(file: string, text: string): boolean {
  const temporary = path.join(path.dirname(file), `.tmp-lock-${process.pid}`);
  fs.writeFileSync(temporary, text);
  try {
    fs.linkSync(temporary, file);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

function removeIfStale(file: string, runDir: string): void {
  const text = readText(file);
  if (text === undefined) return; // freed in this moment
  const owner = parseOwner(text);
  if (owner !== undefined && isAlive(owner)) throw new UserError(refusal(owner, file, runDir));
  // Two processes may find the same stale lock: each moves it away, and whoever got a fresh one instead puts it back.
  const aside = path.join(runDir, `.tmp-stale-lock-${process.pid}`);
  try {
    fs.renameSync(file, aside);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  if (readText(aside) !== text && !fs.existsSync(file)) fs.renameSync(aside, file);
  fs.rmSync(aside, { force: true });
}

function refusal(owner: Owner, file: string, runDir: string): string {
  if (owner.host !== os.hostname()) {
    return `${runDir} is in use by process ${owner.pid} on ${owner.host}: if that one is gone, delete ${file}`;
  }
  return `${runDir} is in use by process ${owner.pid}: wait for it, stop it, or choose another output_dir`;
}

function readText(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** pid_t is 32 bits wide. */
const MOST_PID = 2 ** 31 - 1;

function parseOwner(text: string): Owner | undefined {
  try {
    const { pid, host, started } = JSON.parse(text);
    return Number.isInteger(pid) && pid > 0 && pid <= MOST_PID
      ? { pid, host: String(host), started: String(started) }
      : undefined;
  } catch {
    return undefined; // an empty or torn lock (power cut): nobody holds it
  }
}

function isAlive(owner: Owner): boolean {
  if (owner.host !== os.hostname()) return true; // cannot be asked from here
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (hasCode(error, "ESRCH")) return false;
    if (!hasCode(error, "EPERM")) throw error; // EPERM: it lives and is another user's
  }
  const started = startOf(owner.pid);
  return started === "" || owner.started === "" || started === owner.started;
}

/** Boot id and start time of a process in clock ticks; "" without /proc. */
function startOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    const boot = fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    // Field 22; the name in field 2 may hold spaces, so count from its closing parenthesis.
    return `${boot}/${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}`;
  } catch {
    return "";
  }
}
