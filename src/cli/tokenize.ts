/** `open-rs tokenize --model DIR --input F.jsonl`: {"text"} lines in, {"ids", "decoded"} lines out on stdout. */
import type { Command } from "commander";

interface TokenizeOptions {
  model: string;
  input: string;
}

const EXAMPLES = `
Examples:
  $ open-rs tokenize --model DIR --input texts.jsonl      {"text": "Hi!"} → {"ids": [13048, 0], "decoded": "Hi!"}`;

export default function register(program: Command): Command {
  return program
    .command("tokenize")
    .description('encode each {"text"} line of a JSONL file and decode it again; no special tokens are added')
    .requiredOption("--model <dir>", "folder of a model: its tokenizer.json and tokenizer_config.json")
    .requiredOption("--input <file>", 'JSONL file of {"text": …} lines')
    .addHelpText("after", EXAMPLES)
    .action(tokenize);
}

async function tokenize({ model, input }: TokenizeOptions): Promise<void> {
  const [{ loadTokenizer }, { readJsonLines }, { UserError }] = await Promise.all([
    import("../text/index.js"),
    import("../data/jsonl.js"),
    import("../errors.js"),
  ]);
  const tokenizer = loadTokenizer(model);
  for await (const { value, line } of readJsonLines(input)) {
    if (typeof value.text !== "string") throw new UserError(`${input}:${line}: no string "text" in this line`);
    const ids = tokenizer.encode(value.text);
    const decoded = tokenizer.decode(ids, { skipSpecialTokens: false });
    process.stdout.write(`${JSON.stringify({ ids, decoded })}\n`);
  }
}
