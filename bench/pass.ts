/**
 * Forward and backward over 64 completions of various lengths, ours beside transformers' on the same random checkpoint:
 * `npx tsx bench/pass.ts [rounds = 3]`, PYTHON being a Python that has torch and transformers (default python3).
 * transformers takes the batch as TRL gives it, one tensor padded to the longest. CPU milliseconds on one thread, in turn; the least.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { pythonWith } from "./lib/python.js";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const rounds = Number(process.argv[2] ?? 3);
const python = pythonWith("torch", "transformers");
const env = { ...process.env, OMP_NUM_THREADS: "1" };

function run(command: string, ...args: string[]): { milliseconds: number; tokens: number } {
  const child = spawnSync(command, args, { env, encoding: "utf8" });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout.trim().split("\n").at(-1) ?? "");
}

const folder = mkdtempSync(path.join(tmpdir(), "open-rs-pass-"));
try {
  for (const hidden of [128, 256]) {
    for (const dtype of ["float32", "bfloat16"]) {
      const sides = { ours: [] as number[], theirs: [] as number[] };
      const checkpoint = path.join(folder, String(hidden));
      for (let round = 0; round < rounds; round++) {
        // Ours first: it writes the checkpoint.
        sides.ours.push(
          run(process.execPath, "--import", "tsx", here("pass/ours.ts"), checkpoint, String(hidden), dtype)
            .milliseconds,
        );
        sides.theirs.push(run(python, here("pass/theirs.py"), checkpoint, dtype).milliseconds);
      }
      const [ours, theirs] = [Math.min(...sides.ours), Math.min(...sides.theirs)];
      const ratio = (theirs / ours).toFixed(2);
      console.log(
        `hidden ${hidden}, ${dtype}: ours ${ours.toFixed(0)} ms, transformers ${theirs.toFixed(0)} ms (${ratio} ×)`,
      );
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
