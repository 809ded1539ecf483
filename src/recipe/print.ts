/** A resolved recipe as YAML that can be used as a recipe again; what it says beyond keys is in comments. */
import { stringify } from "yaml";
import type { Resolved } from "./load.js";
import type { RecipeKind } from "./schema.js";

function lines<T extends object>(resolved: Resolved<T>, key: string): string {
  const value = (resolved.recipe as Record<string, unknown>)[key];
  const text = stringify({ [key]: value }, { lineWidth: 0 }).trimEnd();
  if (resolved.stated.has(key)) return text;
  return text.replace(/$/m, "  # default");
}

function comment(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : ["", `# ${title}`, ...items.map((item) => `#   ${item}`)];
}

export function printRecipe<T extends object>(resolved: Resolved<T>, kind: RecipeKind<T>): string {
  const sections = kind.sections.flatMap(({ title, keys }) => [
    "",
    `# ${title}`,
    ...keys.map((key) => lines(resolved, key)),
  ]);
  const inert = [...resolved.inert].map(([key, reason]) => `${key}: ${reason}`);
  const parts = [...sections, ...comment("No effect here", inert), ...comment("Notes", resolved.notes)];
  return `${parts.join("\n").trimStart()}\n`;
}
