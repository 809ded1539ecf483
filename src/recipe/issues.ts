/** zod's issues as one line that says where, what was found and what the key takes. */
import type { z } from "zod";
import { UserError } from "../errors.js";
import { show, typeText } from "./describe.js";
import { nearest, suggestion } from "./nearest.js";
import type { Entries } from "./source.js";

type Issue = z.core.$ZodIssue;

function valueAt(whole: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((part, name) => (part as Record<PropertyKey, unknown> | undefined)?.[name], whole);
}

/** The nearest of a field's words, for a misspelt one. */
function misspelt(value: unknown, field: z.ZodType): string {
  if (typeof value !== "string" || !typeText(field).includes(" | ")) return "";
  const words = typeText(field).split(" | ");
  const word = nearest(value, words);
  return word === undefined ? "" : ` (did you mean ${word}?)`;
}

function unknownPart(issue: Issue & { code: "unrecognized_keys" }, field: z.ZodType, key: string): string {
  const known = typeText(field)
    .replace(/^map of /, "")
    .split(", ");
  const part = issue.keys[0] ?? "";
  return `${key} has no ${part}${suggestion(part, known)}; it takes ${known.join(", ")}`;
}

function explain(issue: Issue, entries: Entries, fields: Readonly<Record<string, z.ZodType>>): string {
  const [key, ...path] = issue.path;
  const name = String(key);
  const field = fields[name];
  const entry = entries.get(name);
  if (!field || !entry) return `${name} is missing: add it to the recipe or pass --${name}`;
  if (issue.code === "unrecognized_keys")
    return `${entry.at([...path, issue.keys[0] ?? ""])}: ${unknownPart(issue, field, name)}`;
  const value = valueAt(entry.value, path);
  const label = [name, ...path].map(String).join(".");
  const wanted = path.length === 0 ? typeText(field) : issue.message.replace(/^Invalid input: expected (\w+).*/, "$1");
  return `${entry.at(path)}: ${label} must be ${wanted}, not ${show(value)}${misspelt(value, field)}`;
}

/** @throws UserError for the first issue, saying how many more there are. */
export function refuse(
  issues: readonly Issue[],
  entries: Entries,
  fields: Readonly<Record<string, z.ZodType>>,
  origin: string,
): never {
  const lines = issues.map((issue) => explain(issue, entries, fields));
  const more = lines.length > 1 ? ` (and ${lines.length - 1} more)` : "";
  const first = lines[0] ?? "invalid";
  throw new UserError(`${/ is missing: /.test(first) ? `${origin}: ` : ""}${first}${more}`);
}
