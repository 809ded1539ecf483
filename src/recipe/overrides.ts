/** Recipe keys on the command line: `--key value`, `--key=value`, `--key.part value`, `--list a b c`, `--flag`. */
import { parse } from "yaml";
import type { z } from "zod";
import { UserError } from "../errors.js";
import type { Entries } from "./source.js";

interface Override {
  path: [string, ...string[]];
  words: string[];
}

function isKey(word: string): boolean {
  return /^--[A-Za-z]/.test(word);
}

/** Groups words into keys with the words that follow them. */
function group(words: readonly string[]): Override[] {
  const groups: Override[] = [];
  for (const word of words) {
    const current = groups.at(-1);
    if (isKey(word)) {
      const [name = "", ...rest] = word.slice(2).split("=");
      const [first = "", ...parts] = name.split(".");
      groups.push({ path: [first.replaceAll("-", "_"), ...parts], words: rest.length > 0 ? [rest.join("=")] : [] });
    } else if (current) current.words.push(word);
    else throw new UserError(`unexpected argument ${word}: recipe keys are given as --key value`);
  }
  return groups;
}

function asYaml(word: string): unknown {
  try {
    return parse(word);
  } catch {
    return word;
  }
}

/** Readings of the words, likeliest first; a field that takes text gets `123` or `null` as text, if it must. */
function readings(words: readonly string[]): unknown[] {
  const [only, ...others] = words;
  if (only === undefined) return [true];
  if (others.length > 0) return [words.map(asYaml), [...words]];
  return [asYaml(only), only, [asYaml(only)], [only]];
}

function choose(words: readonly string[], field: z.ZodType | undefined): unknown {
  const candidates = readings(words);
  return candidates.find((value) => field?.safeParse(value).success) ?? candidates[0];
}

function withPart(whole: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value;
  const map = typeof whole === "object" && whole !== null && !Array.isArray(whole) ? whole : {};
  return { ...map, [name]: withPart((map as Record<string, unknown>)[name], rest, value) };
}

/** The entries with those of the command line over them. */
export function applyOverrides(
  entries: Entries,
  words: readonly string[],
  fields: Readonly<Record<string, z.ZodType>>,
): Entries {
  const result: Entries = new Map(entries);
  for (const { path, words: given } of group(words)) {
    const [key, ...parts] = path;
    const value = choose(given, parts.length === 0 ? fields[key] : undefined);
    const origin = `--${path.join(".")}`;
    result.set(key, { value: withPart(result.get(key)?.value, parts, value), at: () => origin, key: origin });
  }
  return result;
}
