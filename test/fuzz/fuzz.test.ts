/**
 * Random damage to everything open-rs reads: recipes, configs, data, weights, tokenizers, checkpoints. Whatever it is, the process goes on,
 * and what it says is a line that a user can act on: no native end, no stack, nothing above five seconds.
 * OPEN_RS_FUZZ_RUNS: cases of each kind (CONTRIBUTING.md); OPEN_RS_FUZZ_SEED: other cases.
 */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import { runGrpo } from "../../src/grpo/run.js";
import { loadGrpoRecipe } from "../../src/recipe/index.js";
import { temporaryFolder, tinyCheckpoint, tinyDataset, tinyRecipe } from "../support/tiny-run.js";
import { allEdges } from "./edges.js";

const FACTOR = Number(process.env.OPEN_RS_FUZZ_RUNS ?? 0);
const SEED = process.env.OPEN_RS_FUZZ_SEED ?? "7";
/** A single case; a busy machine is given some more. */
const MOST_MS = 5000 * 3;

const folder = temporaryFolder();

beforeAll(async () => {
  tinyCheckpoint(folder);
  tinyDataset(folder);
  const words = tinyRecipe(folder, path.join(folder, "base"), ["--max_steps", "2"]);
  await runGrpo(loadGrpoRecipe(undefined, words).recipe, () => {});
});

interface Ended {
  name: string;
  ms: number;
  told: string;
}

/** How each case of a kind ended; throws with the case's name where the process ended with it. */
function fuzz(kind: string, runs: number): Promise<Ended[]> {
  const own = fs.mkdtempSync(path.join(folder, `${kind}-`));
  for (const name of ["model", "base", "train.jsonl"])
    fs.cpSync(path.join(folder, name), path.join(own, name), { recursive: true });
  const script = path.join(import.meta.dirname, "child.ts");
  const args = ["--import", "tsx", "--max-old-space-size=1500", script, kind, SEED, String(runs), own];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const log = path.join(own, "cases.jsonl");
      const text = fs.existsSync(log) ? fs.readFileSync(log, "utf8") : "";
      const lines = text
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line));
      if (lines.at(-1)?.done && code === 0) resolve(lines.filter((line) => "ms" in line));
      else
        reject(
          new Error(
            `${kind}: ended by ${signal ?? code} at ${lines.at(-1)?.begins ?? "its start"}: ${stderr.slice(-2000)}`,
          ),
        );
    });
  });
}

test.each([
  ["safetensors", 150],
  ["parquet", 120],
  ["jsonl", 50],
  ["tokenizer", 60],
  ["config", 120],
  ["checkpoint", 8],
  ["recipe", 16],
])(
  "%s: every case ends in time, with a result or with one line",
  async (kind, runs) => {
    const cases = await fuzz(kind, FACTOR || runs);
    expect(cases.length).toBeGreaterThanOrEqual(Math.min(FACTOR || runs, runs));
    expect(cases.filter(({ told }) => told.includes("internal error"))).toEqual([]);
    expect(cases.filter(({ told }) => told.split("\n").length > 1)).toEqual([]);
    expect(cases.filter(({ ms }) => ms > MOST_MS)).toEqual([]);
  },
  FACTOR ? 3_600_000 : 120_000,
);

describe("recipes", () => {
  const base = ["--model_name_or_path", "m", "--dataset_name", "d"];

  test("every key with every edge is taken, or refused with a line that names it", () => {
    let refused = 0;
    const edges = allEdges();
    for (const [key, value] of edges) {
      try {
        loadGrpoRecipe(undefined, [...base, `--${key}=${value}`]);
      } catch (error) {
        refused++;
        expect(error, `${key} ${value}`).toBeInstanceOf(UserError);
        const { message } = error as Error;
        expect(message.includes("\n"), message).toBe(false);
        expect(message.length, message).toBeLessThan(600);
      }
    }
    expect(edges.length).toBeGreaterThan(1000);
    expect(refused).toBeGreaterThan(edges.length / 4);
  });
});
