/** `open-rs demo`: the main job in small, what `npm start` runs. */
import type { Command } from "commander";
import { UserError } from "../errors.js";

interface Options {
  seed: string;
  json?: true;
  output_dir?: string;
}

export default function register(program: Command): Command {
  return program
    .command("demo")
    .description("train a small model by GRPO on this machine, in minutes, and show what it learnt")
    .option("--seed <n>", "seed of data order and sampling", "1")
    .option("--output_dir <dir>", "folder of the run (default: runs/demo-seed-<seed>)")
    .option("--json", "print the figures as JSON on stdout, for scripts")
    .argument("[keys...]", "any key of recipes/demo.yaml: --key value")
    .allowUnknownOption()
    .addHelpText("after", "\nExamples:\n  $ open-rs demo\n  $ open-rs demo --seed 2 --learning_rate 1e-4")
    .action(async (keys: string[], options: Options) => {
      const seed = Number(options.seed);
      if (!Number.isInteger(seed) || seed < 0)
        throw new UserError(`--seed is ${options.seed}: give a whole number ≥ 0`);
      const { runDemo } = await import("../demo/demo.js");
      const outputDir = options.output_dir ?? `runs/demo-seed-${seed}`;
      const log = (text: string) => void process.stderr.write(`${text}\n`);
      const result = await runDemo({ seed, outputDir, overrides: keys, log });
      if (result && options.json) process.stdout.write(`${JSON.stringify(summary(result))}\n`);
      else if (result) log(whatNext(result.model));
      else log(`stopped; 'open-rs demo --seed ${seed}' goes on from there`);
    });
}

const whatNext = (model: string): string => `
Next:
  open-rs generate --model ${model} --prompt "What is 31+12-5+7?"
  open-rs demo --seed 2                        another seed
  open-rs train open-rs3 --dry-run             the paper's third recipe, every key
  examples/own-reward/train.ts                 your task, your reward
  examples/grpo-in-one-file.ts                 GRPO in one file, to read`;

type Result = NonNullable<Awaited<ReturnType<typeof import("../demo/demo.js").runDemo>>>;

/** One line for scripts; people read the table. */
function summary({ sampled, greedy, model, trainSeconds, seconds }: Result) {
  const share = (pair: Result["sampled"]) => ({
    before: pair.before.accuracy.share,
    after: pair.after.accuracy.share,
    mean_length_before: pair.before.meanTokens,
    mean_length_after: pair.after.meanTokens,
  });
  return { sampled: share(sampled), greedy: share(greedy), train_seconds: trainSeconds, seconds, model };
}
