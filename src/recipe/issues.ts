/** zod's issues as one line that says where, what was found and what the key takes. */
import type { z } from "zod";
import { UserError } from "../errors.js";
import { inSentence, show, typeText } from "./describe.js";
import { nearest, suggestion } from "./nearest.js";
import type { Entries, Entry } from "./source.js";

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

function unknownPart(issue: Issue & { code: "unrecognized_keys" }, field: z.ZodType): string {
  const known = typeText(field)
    .replace(/^map of /, "")
    .split(", ");
  const part = issue.keys[0] ?? "";
  return `has no ${part}${suggestion(part, known)}; it takes ${known.join(", ")}`;
}

/** Where a key stands and its name; an option's place is its name. */
export function subject(place: string, label: string): string {
  return place.startsWith("--") ? `--${label}` : `${place}: ${label}`;
}

function explain(issue: Issue, entry: Entry, field: z.ZodType): string {
  const [key, ...path] = issue.path;
  const name = String(key);
  if (issue.code === "unrecognized_keys")
    return `${subject(entry.at([...path, issue.keys[0] ?? ""]), name)} ${unknownPart(issue, field)}`;
  const value = valueAt(entry.value, path);
  const label = [name, ...path].map(String).join(".");
  const wanted = path.length === 0 ? typeText(field) : issue.message.replace(/^Invalid input: expected (\w+).*/, "$1");
  return `${subject(entry.at(path), label)} must be ${inSentence(wanted)}, not ${show(value)}${misspelt(value, field)}`;
}

/** @param origin the recipe file; undefined without one */
function missing(keys: readonly string[], origin: string | undefined): string {
  const options = keys.map((key) => `--${key}`).join(" and ");
  const are = keys.length === 1 ? "is" : "are";
  if (origin !== undefined)
    return `${origin}: ${keys.join(" and ")} ${are} missing: add to the recipe or pass ${options}`;
  return `${options} ${are} missing: give a recipe file that says so, or pass ${keys.length === 1 ? "it" : "them"}`;
}

/** @throws UserError for the first issue, saying how many more there are; what is missing comes last. */
export function refuse(
  issues: readonly Issue[],
  entries: Entries,
  fields: Readonly<Record<string, z.ZodType>>,
  origin: string | undefined,
): never {
  const absent: string[] = [];
  const lines: string[] = [];
  for (const issue of issues) {
    const name = String(issue.path[0]);
    const [entry, field] = [entries.get(name), fields[name]];
    if (entry && field) lines.push(explain(issue, entry, field));
    else absent.push(name);
  }
  if (absent.length > 0) lines.push(missing(absent, origin));
  const more = lines.length > 1 ? ` (and ${lines.length - 1} more)` : "";
  throw new UserError(`${lines[0] ?? "invalid"}${more}`);
}
