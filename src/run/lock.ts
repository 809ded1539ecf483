import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { UserError } from "../errors.js";
import { explainDiskError, hasCode } from "../files/disk.js";
import { beats, sleep, startHeartbeat } from "./heartbeat.js";

/** One process per run folder: two would overwrite each other's checkpoints. */
export const LOCK_FILE = ".run.lock";

export interface RunLock {
  /** Frees the folder; called by itself when the process exits. Calling it twice is fine. */
  release(): void;
  /** @throws UserError if another run took the folder, for this one stood still (a suspended machine) and seemed gone */
  assertHeld(): void;
}

export interface LockOptions {
  log?: (line: string) => void;
  /** Between two signs of life of a lock, and how long one without any is waited for, in ms. */
  beat?: number;
  patience?: number;
}

interface Owner {
  pid: number;
  host: string;
  /** When the process started (Linux: boot id and clock ticks), since pids are used again; "" where unknown. */
  started: string;
  /** Where its pid means something (Linux: boot id and pid namespace); "" where unknown. */
  place: string;
}

/**
 * Takes the run folder for this process. The lock of a process that is gone is taken over: at once where its pid can be asked for; from
 * another machine or container once it has shown no sign of life for `patience`. Clocks of two machines are never compared.
 * @throws UserError naming the pid if another live process (or this one) has it
 */
export function acquireRunLock(runDir: string, options: LockOptions = {}): RunLock {
  const { log = () => {}, beat = 5_000, patience = 20_000 } = options;
  const file = path.join(runDir, LOCK_FILE);
  const self: Owner = { pid: process.pid, host: os.hostname(), started: startOf(process.pid), place: placeOfPids() };
  const text = `${JSON.stringify(self)}\n`;
  try {
    fs.mkdirSync(runDir, { recursive: true });
    while (!createWith(file, text)) removeIfStale(file, runDir, self, { log, patience });
  } catch (error) {
    throw explainDiskError(error, `lock ${runDir}`, runDir);
  }
  const stop = startHeartbeat(file, text, beat);
  const release = () => {
    stop();
    process.removeListener("exit", release);
    if (readText(file) === text) fs.rmSync(file, { force: true });
  };
  process.once("exit", release);
  const assertHeld = () => {
    const now = readText(file);
    if (now === text || !fs.existsSync(runDir)) return;
    // Removed by hand, or by a run that had the folder meanwhile and has ended: it is free, and taken again.
    if (now === undefined && createWith(file, text)) return;
    throw new UserError(
      `${runDir} was taken over by another run while this one stood still: this one ends without writing to it`,
    );
  };
  return { release, assertHeld };
}

/** Creates the lock together with its content (link(2) is atomic and fails if the name exists). */
function createWith(file: string, text: string): boolean {
  const temporary = path.join(path.dirname(file), `.tmp-lock-${process.pid}`);
  fs.writeFileSync(temporary, text);
  try {
    fs.linkSync(temporary, file);
    return true;
  } catch (error) {
    return hasCode(error, "EEXIST") ? false : createExclusively(file, text);
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

/** Where the file system knows no hard links (FAT, many network drives). For a moment the lock is there and empty: `settled` waits. */
function createExclusively(file: string, text: string): boolean {
  try {
    fs.writeFileSync(file, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

function removeIfStale(
  file: string,
  runDir: string,
  self: Owner,
  { log, patience }: Required<Pick<LockOptions, "log" | "patience">>,
): void {
  const text = settled(file);
  if (text === undefined) return; // freed in this moment
  const owner = parseOwner(text);
  if (owner !== undefined && canAsk(owner, self)) {
    if (isAlive(owner)) throw new UserError(refusal(owner, self, runDir));
  } else if (owner !== undefined) {
    log(
      `${runDir} was in use by process ${owner.pid} on ${owner.host}: waiting up to ${patience / 1000} s for a sign of life`,
    );
    if (beats(file, patience)) throw new UserError(refusal(owner, self, runDir));
  }
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

/** The lock's text; one that says nothing is read again, as it may be about to be written. */
function settled(file: string): string | undefined {
  const text = readText(file);
  if (text === undefined || parseOwner(text) !== undefined) return text;
  sleep(200);
  return readText(file);
}

/** Whether an owner's pid means here what it means there. */
const canAsk = (owner: Owner, self: Owner): boolean =>
  owner.place === "" || self.place === "" ? owner.host === self.host : owner.place === self.place;

function refusal(owner: Owner, self: Owner, runDir: string): string {
  const where = owner.host === self.host ? "" : ` on ${owner.host}`;
  return `${runDir} is in use by process ${owner.pid}${where}: wait for it, stop it, or choose another output_dir`;
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
    const { pid, host, started, place } = JSON.parse(text);
    if (!Number.isInteger(pid) || pid <= 0 || pid > MOST_PID) return undefined;
    return { pid, host: String(host), started: String(started), place: String(place ?? "") };
  } catch {
    return undefined; // an empty or torn lock (power cut): nobody holds it
  }
}

function isAlive(owner: Owner): boolean {
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
    // Field 22; the name in field 2 may hold spaces, so count from its closing parenthesis.
    return `${bootId()}/${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}`;
  } catch {
    return "";
  }
}

const bootId = (): string => fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

/** Containers of one machine have pids of their own. */
function placeOfPids(): string {
  try {
    return `${bootId()}/${fs.readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return ""; // no /proc: not Linux
  }
}
