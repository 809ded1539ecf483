/** What `train` and `sft` share: a recipe, any of its keys as options, --dry-run. */
import type { Command } from "commander";
import { defaultText, typeText } from "../recipe/describe.js";
import { printRecipe, type RecipeKind, type Resolved } from "../recipe/index.js";

export interface RecipeCommand<T extends { output_dir: string }> {
  kind: RecipeKind<T>;
  description: string;
  examples: string;
  load(file: string | undefined, overrides: readonly string[]): Resolved<T>;
  run(resolved: Resolved<T>): Promise<void>;
}

/** Every key with its type and default, as the help shows them. */
function keysHelp<T>(kind: RecipeKind<T>): string {
  const keyHelp = (key: string) => {
    const field = kind.fields[key];
    if (!field) throw new Error(`section names an unknown key ${key}`);
    const usual = defaultText(field);
    return `  --${key} <${typeText(field)}>\n      ${field.description} ${usual === undefined ? "(required)" : `(default: ${usual})`}`;
  };
  return kind.sections.map(({ title, keys }) => `\n${title}:\n${keys.map(keyHelp).join("\n")}`).join("\n");
}

function warn(resolved: Resolved<object>): void {
  for (const note of resolved.notes) log(`note: ${note}`);
  const inert = [...resolved.inert.keys()];
  if (inert.length > 0) log(`note: no effect here (--dry-run says why): ${inert.join(", ")}`);
}

export function registerRecipeCommand<T extends { output_dir: string }>(
  program: Command,
  definition: RecipeCommand<T>,
): Command {
  const { kind } = definition;
  return program
    .command(kind.name)
    .description(definition.description)
    .argument("[recipe]", "YAML file, or the name of a recipe of ours, such as open-rs3; see docs/recipe.md")
    .argument("[keys...]", "any key of the recipe: --key value")
    .usage("[recipe.yaml] [--dry-run] [--profile] [--key value ...]")
    .option("--dry-run", "print the recipe with all defaults, and the keys that have no effect and why; train nothing")
    .option("--profile", "at the end, print where time and memory went, by phase and by operator")
    .allowUnknownOption()
    .addHelpText("after", `\nExamples:\n${definition.examples}\n\nKeys (in the recipe or as options):${keysHelp(kind)}`)
    .action(async (_recipe: unknown, _keys: unknown, options: { dryRun?: true; profile?: true }, command: Command) => {
      const [first, ...others] = command.args;
      const hasFile = first !== undefined && !first.startsWith("-");
      const resolved = definition.load(hasFile ? first : undefined, hasFile ? others : command.args);
      if (options.dryRun) {
        process.stdout.write(printRecipe(resolved, kind));
        return;
      }
      warn(resolved);
      const run = () => definition.run(resolved);
      await (options.profile ? profiled(resolved.recipe.output_dir, run) : run());
    });
}

async function profiled(outputDir: string, run: () => Promise<void>): Promise<void> {
  const { formatProfile, startProfile, writeProfile } = await import("../training/profile.js");
  const end = startProfile();
  await run();
  const profile = end();
  log(`${formatProfile(profile)}\nall of it: ${writeProfile(profile, outputDir)}`);
}

export function log(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** How a run ended: a sentence for the reader, JSON for the caller. Exit code 130, as after any Ctrl-C, when it was interrupted. */
export function report(outcome: { step: number; finished: boolean; model: string }): void {
  const { step, finished, model } = outcome;
  log(
    finished
      ? `finished at step ${step}: the model is in ${model}`
      : `stopped at step ${step}: run the same command again to go on`,
  );
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
  if (!finished) process.exitCode = 130;
}
