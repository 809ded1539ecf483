/** Chat templates: Jinja source from the model's folder, rendered by @huggingface/jinja. */
import { Template } from "@huggingface/jinja";
import { UserError } from "../errors.js";
import type { ChatMessage, ChatTemplateOptions } from "./types.js";

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
    throw new UserError(`chat template of ${origin} ${what}: ${(error as Error).message}`);
  };
  let template: Template;
  try {
    template = new Template(source);
  } catch (error) {
    return refuse("cannot be parsed", error);
  }
  const render = (messages: readonly ChatMessage[], options: ChatTemplateOptions = {}): string => {
    const { addGenerationPrompt = false, variables = {} } = options;
    try {
      return template.render({ ...specialTokens, ...variables, messages, add_generation_prompt: addGenerationPrompt });
    } catch (error) {
      return refuse(`refuses these messages (roles: ${messages.map((m) => m.role).join(", ")})`, error);
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
