/**
 * Trains as the command line does, in a process of its own that a test can kill:
 *   node --import tsx train-child.ts '{"fsync": 7}' --output_dir DIR …      kill -9 at the 7th fsync: in the middle of a save
 *   node --import tsx train-child.ts '{"ms": 350}' …                        kill -9 after 350 ms
 *   node --import tsx train-child.ts '{"sigintAfterRow": 2}' …              Ctrl-C once metrics.jsonl has two rows
 *   node --import tsx train-child.ts '{}' …                                 runs through
 * "sft": true trains with supervision.
 */
import fs from "node:fs";
import path from "node:path";
import { runGrpo } from "../../src/grpo/run.js";
import { loadGrpoRecipe, loadSftRecipe } from "../../src/recipe/index.js";
import { runSft } from "../../src/sft/index.js";

const [when, ...keys] = process.argv.slice(2) as [string, ...string[]];
const { fsync, ms, sigintAfterRow, sft } = JSON.parse(when) as {
  fsync?: number;
  ms?: number;
  sigintAfterRow?: number;
  sft?: true;
};

if (fsync !== undefined) {
  let calls = 0;
  const real = fs.fsyncSync;
  fs.fsyncSync = (fd: number) => {
    if (++calls === fsync) process.kill(process.pid, "SIGKILL");
    real(fd);
  };
}
const log = (line: string) => console.error(line);
const { recipe } = sft ? loadSftRecipe(undefined, keys) : loadGrpoRecipe(undefined, keys);
const outcome = "reward_funcs" in recipe ? runGrpo(recipe, log) : runSft(recipe, log);
if (ms !== undefined) setTimeout(() => process.kill(process.pid, "SIGKILL"), ms);
if (sigintAfterRow !== undefined) {
  const metrics = path.join(recipe.output_dir, "metrics.jsonl");
  const timer = setInterval(() => {
    if (!fs.existsSync(metrics) || fs.readFileSync(metrics, "utf8").split("\n").length <= sigintAfterRow) return;
    clearInterval(timer);
    process.kill(process.pid, "SIGINT");
  }, 1);
}
console.log(JSON.stringify(await outcome));
