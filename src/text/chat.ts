/** Chat templates: Jinja source from the model's folder, rendered by @huggingface/jinja. */
import { Template } from "@huggingface/jinja";
import { shortened, UserError } from "../errors.js";
import { renderCounted } from "./template-interpreter.js";
import { withTimeLimit } from "./time-limit.js";
import type { ChatMessage, ChatTemplateOptions } from "./types.js";

const LIMIT_MS = 3000;
const MOST_CHARACTERS = 1_000_000;

/** The library's strftime_now, which it keeps to itself. */
const NOW = new Template("{{ strftime_now(format) }}");

export interface ChatTemplate {
  readonly source: string;
  render(messages: readonly ChatMessage[], options?: ChatTemplateOptions): string;
}

/** @param specialTokens what the template sees as `bos_token`, `eos_token`, … */
export function compileChatTemplate(
  source: string,
  specialTokens: Readonly<Record<string, string>>,
  origin: string,
): ChatTemplate {
  const refuse = (what: string, error: unknown): never => {
    throw new UserError(`chat template of ${origin} ${what}: ${shortened((error as Error).message)}`);
  };
  let template: Template;
  if (source.length > MOST_CHARACTERS) {
    throw new UserError(`chat template of ${origin} has ${source.length} characters, ${MOST_CHARACTERS} at most`);
  }
  try {
    template = withTimeLimit(LIMIT_MS, () => new Template(source));
  } catch (error) {
    return refuse("cannot be parsed", error);
  }
  const render = (messages: readonly ChatMessage[], options: ChatTemplateOptions = {}): string => {
    const { addGenerationPrompt = false, variables = {} } = options;
    try {
      const values = { ...specialTokens, ...variables, messages, add_generation_prompt: addGenerationPrompt };
      return withTimeLimit(LIMIT_MS, () => renderCounted(template, NOW, values));
    } catch (error) {
      return refuse(`refuses these messages (roles: ${shortened(messages.map((m) => m.role).join(", "))})`, error);
    }
  };
  return { source, render };
}

/** The error for a model folder without a template: names the two ways to give one. */
export function missingChatTemplate(dir: string): UserError {
  return new UserError(
    `${dir} has no chat template: put one into the folder (chat_template.jinja, or "chat_template" in ` +
      `tokenizer_config.json), or set chat_template in the recipe`,
  );
}
