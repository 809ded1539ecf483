/** `--profile`: where a training run's time and memory went, by phase and by operator. */
import fs from "node:fs";
import path from "node:path";
import { writeFileAtomic } from "../files/atomic.js";
import { formatBytes } from "../files/disk.js";
import { watchPhases } from "../run/phases.js";
import { formatTable } from "../terminal/table.js";
import { profileOps } from "../torch/profiler.js";

interface PhaseUse {
  name: string;
  entered: number;
  /** Without the phases inside it. */
  ms: number;
  /** Most resident memory while it ran, bytes; 0 where the system does not tell. */
  peak: number;
}

interface OpUse {
  phase: string;
  op: string;
  calls: number;
  ms: number;
}

export interface Profile {
  seconds: number;
  phases: PhaseUse[];
  ops: OpUse[];
}

const OUTSIDE = "(rest)";

/** Starts measuring; the returned function ends it. One at a time in a process. */
export function startProfile(): () => Profile {
  const phases = new Map<string, PhaseUse>();
  const ops = new Map<string, OpUse>();
  const stack = [OUTSIDE];
  const start = performance.now();
  let since = start;
  const current = () => stack.at(-1) ?? OUTSIDE;
  const settle = () => {
    const now = performance.now();
    const use = phases.get(current()) ?? { name: current(), entered: 0, ms: 0, peak: 0 };
    use.ms += now - since;
    use.peak = Math.max(use.peak, peakMemory());
    phases.set(current(), use);
    since = now;
    resetPeakMemory();
  };
  watchPhases({
    enter(name) {
      settle();
      stack.push(name);
    },
    leave() {
      settle();
      phases.get(current())!.entered++;
      stack.pop();
    },
  });
  const endOps = profileOps((op, ms) => {
    const key = `${current()} ${op}`;
    const use = ops.get(key) ?? { phase: current(), op, calls: 0, ms: 0 };
    use.calls++;
    use.ms += ms;
    ops.set(key, use);
  });
  return () => {
    settle();
    watchPhases(null);
    endOps();
    return { seconds: (performance.now() - start) / 1000, phases: sorted(phases), ops: sorted(ops) };
  };
}

const sorted = <T extends { ms: number }>(uses: ReadonlyMap<string, T>): T[] =>
  [...uses.values()].sort((a, b) => b.ms - a.ms);

/** Linux keeps the peak of the resident set, and lets us reset it. */
function peakMemory(): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+)/m.exec(fs.readFileSync("/proc/self/status", "utf8"))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0; // no /proc: memory is left out of the table
  }
}

function resetPeakMemory(): void {
  try {
    fs.writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    // Not allowed here: peaks are then those since the start.
  }
}

const OPS_SHOWN = 25;

/** Two tables for the terminal. */
export function formatProfile({ seconds, phases, ops }: Profile): string {
  const share = (ms: number) => `${((ms / seconds) * 0.1).toFixed(1)} %`;
  const byPhase = formatTable(
    ["phase", "times", "seconds", "share", "peak memory"],
    phases.map(({ name, entered, ms, peak }) => [
      name,
      entered || "",
      (ms / 1000).toFixed(2),
      share(ms),
      peak === 0 ? "" : formatBytes(peak),
    ]),
  );
  const byOp = formatTable(
    ["phase", "operator", "calls", "seconds", "share", "µs a call"],
    ops
      .slice(0, OPS_SHOWN)
      .map(({ phase, op, calls, ms }) => [
        phase,
        op,
        calls,
        (ms / 1000).toFixed(2),
        share(ms),
        ((1000 * ms) / calls).toFixed(1),
      ]),
    ["left", "left", "right", "right", "right", "right"],
  );
  return `${byPhase}\n${byOp}`;
}

/** All of it as profile.json in the run's folder; returns the path. */
export function writeProfile(profile: Profile, outputDir: string): string {
  const file = path.join(outputDir, "profile.json");
  writeFileAtomic(file, `${JSON.stringify(profile, null, 1)}\n`);
  return file;
}
