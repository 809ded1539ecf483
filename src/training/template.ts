/** A chat template that the recipe gives: it makes the prompts, and travels with the model that was trained on them. */
import { UserError } from "../errors.js";
import { readTextFile } from "../files/regular.js";
import type { SaveModelOptions } from "../model/index.js";
import type { GrpoRecipe } from "../recipe/index.js";

export type TemplateKeys = Pick<GrpoRecipe, "chat_template" | "chat_template_path">;

/** What a saved model gets beside its weights. */
export type Companions = Pick<SaveModelOptions, "companionsFrom" | "chatTemplate">;

/** Its Jinja source; null: the model's own is used. */
export function templateOf({ chat_template, chat_template_path }: TemplateKeys): string | null {
  if (chat_template_path === null) return chat_template;
  try {
    return readTextFile(chat_template_path);
  } catch (error) {
    throw new UserError(`chat_template_path ${chat_template_path} cannot be read: ${(error as Error).message}`);
  }
}

/** @param source the folder whose tokenizer and generation config go with the model */
export function companionsOf(keys: TemplateKeys, source: string): Companions {
  const chatTemplate = templateOf(keys);
  return { companionsFrom: source, ...(chatTemplate === null ? {} : { chatTemplate }) };
}
