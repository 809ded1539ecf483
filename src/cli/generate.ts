/** `open-rs generate --model DIR`: completions of a prompt (streamed as text) or of a file's prompts (JSON lines). */
import { type Command, InvalidArgumentError } from "commander";
import type { GenerateRequest } from "./generate-run.js";
import { deviceOption, dtypeOption } from "./model-options.js";

const EXAMPLES = `
Examples:
  $ open-rs generate --model DIR --prompt "What is 17 + 25?"
  $ open-rs generate --model DIR --prompt "Once upon a time" --raw --max_tokens 100 --temperature 0.7
  $ open-rs generate --model DIR --input prompts.jsonl -n 4 --seed 1 > completions.jsonl

--input reads lines of {"prompt"}, {"problem"}, {"question"} (text) or {"messages"}; it and -n above 1 write lines of
{"prompt", "completions": [{"text", "ids", "stop_reason"}]}. stop_reason: eos (end token), stop (--stop text), length.`;

export default function register(program: Command): Command {
  return program
    .command("generate")
    .description("complete a prompt, or every prompt of a file")
    .requiredOption("--model <dir>", "folder of a model, or its name on the Hugging Face hub")
    .option("--prompt <text>", "prompt; its completion is streamed to stdout")
    .option("--input <file>", "JSONL file of prompts")
    .option("-n <count>", "completions per prompt", number, 1)
    .option("--max_tokens <count>", "longest completion in tokens", number, 512)
    .option("--temperature <number>", "0 is greedy", number, 1)
    .option("--top_p <share>", "sample from the most likely tokens that hold this probability", number, 1)
    .option("--top_k <count>", "sample from this many most likely tokens; 0: all", number, 0)
    .option("--min_p <share>", "drop tokens less likely than this times the most likely one", number, 0)
    .option("--repetition_penalty <number>", "divides the logits of tokens that occurred already; 1: off", number, 1)
    .option("--stop <texts...>", "a completion also ends before any of these texts")
    .option("--seed <number>", "makes sampling repeatable", number)
    .option("--chat", "through the model's chat template (the default where it has one)")
    .option("--raw", "the prompt as it is, without chat template")
    .option("--system_prompt <text>", "system message before the prompt")
    .addOption(dtypeOption())
    .addOption(deviceOption())
    .addHelpText("after", EXAMPLES)
    .action(async (options: GenerateRequest) => {
      const { generate } = await import("./generate-run.js");
      await generate(options);
    });
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("expected a number.");
  return value;
}
