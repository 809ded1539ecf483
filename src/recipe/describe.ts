/** What a field takes, in words: for error messages, help and docs/recipe.md. */
import { z } from "zod";

interface JsonSchema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
}

const BEYOND_RANGE = Number.MAX_SAFE_INTEGER;

/** 1e9 is easier to read than its zeros. */
const short = (bound: number): string =>
  bound >= 1e6 && Number.isInteger(Math.log10(bound)) ? bound.toExponential().replace("+", "") : `${bound}`;

function range(schema: JsonSchema): string {
  const low = schema.minimum !== undefined && schema.minimum > -BEYOND_RANGE ? `≥ ${schema.minimum}` : "";
  const above = schema.exclusiveMinimum !== undefined ? `> ${schema.exclusiveMinimum}` : "";
  const high = schema.maximum !== undefined && schema.maximum < BEYOND_RANGE ? `≤ ${short(schema.maximum)}` : "";
  const below = schema.exclusiveMaximum !== undefined ? `< ${schema.exclusiveMaximum}` : "";
  return [low || above, high || below].filter(Boolean).join(", ");
}

function text(schema: JsonSchema): string {
  if (schema.anyOf) return [...new Set(schema.anyOf.map(text))].join(" | ");
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.const !== undefined) return String(schema.const);
  if (Array.isArray(schema.type)) return schema.type.map((type) => text({ type })).join(" | ");
  if (schema.type === "boolean") return "true | false";
  if (schema.type === "array") return `list of ${text(schema.items ?? {})}`;
  if (schema.type === "object")
    return schema.properties ? `map of ${Object.keys(schema.properties).join(", ")}` : "map";
  if (schema.type === "number" || schema.type === "integer") return `${schema.type} ${range(schema)}`.trim();
  return schema.type ?? "any value";
}

export function typeText(field: z.ZodType): string {
  return text(z.toJSONSchema(field, { io: "input" }) as JsonSchema);
}

const ARTICLES: Readonly<Record<string, string>> = { integer: "an", number: "a", string: "a", list: "a", map: "a" };

/** A type's words in a sentence: "integer ≥ 1 | null" as "an integer ≥ 1 or null". */
export function inSentence(types: string): string {
  const parts = types.replaceAll(/, ([≤<])/g, " and $1").split(" | ");
  const withArticles = parts.map((part) => {
    const article = ARTICLES[part.split(" ")[0] ?? ""];
    return article === undefined ? part : `${article} ${part}`;
  });
  const last = withArticles.pop() ?? "";
  return withArticles.length === 0 ? last : `${withArticles.join(", ")} or ${last}`;
}

/** The default as it would be written in a recipe; undefined for a key that must be given. */
export function defaultText(field: z.ZodType): string | undefined {
  const result = field.safeParse(undefined);
  return result.success ? JSON.stringify(result.data)?.replace(/^"(.*)"$/, "$1") : undefined;
}

export function show(value: unknown): string {
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
}
