/**
 * How a training step's time and memory grow: `npx tsx bench/scale.ts [tokens|padding|group|vocabulary|layers …]`, all by default.
 * Each case runs in a process of its own on one thread (OMP_NUM_THREADS for more). Times are CPU seconds, so that a busy machine blurs
 * them little, the least of some rounds; memory is the peak resident set above what stood before the pass.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Case, Measured } from "./scale/measure.js";

const MEASURE = fileURLToPath(new URL("scale/measure.ts", import.meta.url));

function measure(work: Case): Measured {
  const env = { OMP_NUM_THREADS: "1", ...process.env };
  const child = spawnSync(process.execPath, ["--import", "tsx", MEASURE, JSON.stringify(work)], {
    env,
    encoding: "utf8",
  });
  if (child.status !== 0) throw new Error(`${JSON.stringify(work)}: ${child.stderr}`);
  return JSON.parse(child.stdout) as Measured;
}

const BASE = { hidden: 128, layers: 4, vocabulary: 512, prompts: 8, group: 8, dtype: "float32" } as const;
const ms = (s: number) => `${(s * 1000).toFixed(0)} ms`;
const mb = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MB`;

const SECTIONS: Record<string, () => void> = {
  tokens() {
    console.log("\nreal tokens (64 completions of various lengths)");
    for (const mean of [16, 32, 64, 128, 256]) {
      const { seconds, tokens } = measure({ kind: "step", ...BASE, mean, limit: 1024 });
      console.log(`  ${tokens} tokens: ${ms(seconds)}, ${((1e6 * seconds) / tokens).toFixed(1)} µs per token`);
    }
  },
  padding() {
    console.log("\nmax_completion_length, the same completions");
    const [short, long] = [256, 512].map((limit) => measure({ kind: "step", ...BASE, mean: 64, limit }));
    console.log(
      `  256: ${ms(short!.seconds)}, 512: ${ms(long!.seconds)} (${(long!.seconds / short!.seconds).toFixed(3)} ×)`,
    );
  },
  group() {
    console.log("\ngroup size, 64 completions in all");
    for (const group of [2, 8, 32]) {
      const { seconds, tokens } = measure({ kind: "step", ...BASE, mean: 64, limit: 512, prompts: 64 / group, group });
      console.log(`  ${64 / group} × ${group}: ${ms(seconds)}, ${((1e6 * seconds) / tokens).toFixed(1)} µs per token`);
    }
  },
  vocabulary() {
    console.log("\nvocabulary, memory of the loss at 16,384 tokens (hidden 64, the head's own gradient not counted)");
    for (const dtype of ["float32", "bfloat16"] as const) {
      for (const vocabulary of [512, 32_768, 151_936]) {
        const { peak, seconds } = measure({ kind: "loss", ...BASE, dtype, hidden: 64, vocabulary, tokens: 16_384 });
        console.log(`  ${dtype} ${vocabulary}: ${mb(peak)}, ${ms(seconds)}`);
      }
    }
  },
  layers() {
    console.log("\nlayers, memory of a pass over 4,096 tokens (hidden 256), and as src/passes/memory.ts expects it");
    for (const dtype of ["float32", "bfloat16"] as const) {
      for (const checkpointing of [false, true]) {
        for (const layers of [2, 4, 8, 16]) {
          const work = { kind: "pass", ...BASE, dtype, hidden: 256, layers, tokens: 4096, checkpointing } as const;
          const { peak, expected, seconds } = measure(work);
          const name = `${dtype} ${layers} layers${checkpointing ? ", checkpointed" : ""}`;
          console.log(`  ${name}: ${mb(peak)} (${mb(expected ?? 0)}), ${ms(seconds)}`);
        }
      }
    }
  },
};

const chosen = process.argv.slice(2);
for (const [name, run] of Object.entries(SECTIONS)) if (chosen.length === 0 || chosen.includes(name)) run();
