import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { UserError } from "../errors.js";
import { suggestion } from "../recipe/nearest.js";
import { COMMANDS, type CommandEntry } from "./commands.js";
import { formatError } from "./errors.js";

const EXAMPLES = `
Examples:
  $ npm start                                                  the demo: a small model learns arithmetic
  $ open-rs train open-rs3 --dry-run                           a recipe with all its defaults
  $ open-rs train open-rs3 --model_name_or_path DIR --dataset_name FILE.jsonl --max_steps 2
  $ open-rs generate --model DIR --prompt "What is 7 * 8?"
  $ open-rs doctor

JSON goes to stdout, everything else to stderr. ${"`open-rs COMMAND --help`"} tells more.`;

export function packageVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

/** The command that is called, or asked about by `open-rs help NAME`. */
function called(words: readonly string[]): string | undefined {
  const names = words.filter((word) => !word.startsWith("-"));
  return names[0] === "help" ? names[1] : names[0];
}

function checkCommand(name: string | undefined): void {
  const names = [...COMMANDS.map((entry) => entry.name), "help"];
  if (name === undefined || names.includes(name)) return;
  throw new UserError(`no command is named ${name}${suggestion(name, names)}: 'open-rs --help' lists them`);
}

async function addCommand(program: Command, entry: CommandEntry, isCalled: boolean): Promise<void> {
  if (isCalled) (await entry.load()).default(program);
  else program.command(entry.name).description(entry.summary);
}

async function buildProgram(words: readonly string[]): Promise<Command> {
  const program = new Command("open-rs")
    .description("Reinforcement learning for reasoning in small language models, on libtorch.")
    .version(packageVersion())
    .option("--debug", "show the stack of an error")
    .addHelpText("after", EXAMPLES)
    .showSuggestionAfterError()
    // One line: commander puts its suggestion on a second one.
    .configureOutput({ outputError: (text, write) => write(`${text.trimEnd().replace("\n(Did", " (did")}\n`) })
    .exitOverride();
  for (const entry of COMMANDS) await addCommand(program, entry, entry.name === called(words));
  for (const command of program.commands) command.exitOverride();
  return program;
}

/** Runs one command line (without node and script) and returns its exit code. */
export async function runCli(line: readonly string[]): Promise<number> {
  const words = line.filter((word) => word !== "--debug");
  try {
    checkCommand(called(words));
    const program = await buildProgram(words);
    if (words.length === 0) program.help();
    await program.parseAsync(words, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // commander has printed help, version or its complaint already.
    if (error instanceof CommanderError) return error.exitCode;
    process.stderr.write(`${formatError(error, words.length < line.length)}\n`);
    return 1;
  }
}
