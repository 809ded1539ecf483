/**
 * Times of day: `4:30`, `20:34:00`, `8:34 \text{ p.m.}`. Two numbers with a colon may be a ratio as well, so only what
 * could not be one in lowest terms (`4:30`, `12:05`) or says "a.m." is a time.
 */
import { call, type Node, num } from "../ast.js";
import { rational } from "../value/rational.js";
import type { Cursor } from "./cursor.js";
import type { Token } from "./lexer.js";

/** The time that begins with the number just read, or undefined. */
export function parseTime(cursor: Cursor, hours: Token): Node | undefined {
  if (cursor.inBuilder || !/^(?:[01]?\d|2[0-4])$/.test(hours.text)) return undefined;
  const minutes = sixtieth(cursor, 0);
  if (minutes === undefined) return undefined;
  const seconds = sixtieth(cursor, 2);
  const parts = [hours.text, minutes, ...(seconds === undefined ? [] : [seconds])];
  const half = halfOfDay(cursor, 2 * (parts.length - 1));
  if (!half && !parts.some((part) => /^0/.test(part)) && (parts.length > 2 || coprime(hours.text, minutes)))
    return undefined;
  for (let i = 0; i < 2 * (parts.length - 1) + (half?.length ?? 0); i++) cursor.next();
  const numbers = [hours.text, minutes, seconds ?? "0"].map((part) => num(rational(BigInt(part))));
  return call("time", ...numbers, num(rational(half === undefined ? 0n : half.afternoon ? 2n : 1n)));
}

/** `:30`, two digits below 60. */
function sixtieth(cursor: Cursor, ahead: number): string | undefined {
  const token = cursor.peek(ahead + 1);
  return cursor.isMark(":", ahead) && token?.kind === "num" && /^[0-5]\d$/.test(token.text) ? token.text : undefined;
}

const coprime = (a: string, b: string): boolean => rational(BigInt(a), BigInt(b)).d === BigInt(b);

/** `\text{ p.m.}`, `PM`, with the number of tokens it takes. */
function halfOfDay(cursor: Cursor, ahead: number): { afternoon: boolean; length: number } | undefined {
  const [first, second] = [cursor.peek(ahead), cursor.peek(ahead + 1)];
  const marked = first?.kind === "text" ? /^\s*([ap])\.?\s?m\.?\s*$/i.exec(first.text) : null;
  if (marked) return { afternoon: /p/i.test(marked[1]!), length: 1 };
  const letters = first?.kind === "word" && second?.kind === "word" && /^[ap]m$/i.test(first.text + second.text);
  return letters ? { afternoon: /p/i.test(first.text), length: 2 } : undefined;
}
