/**
 * The order of scripts: `v^2_0`, `\sum^3_{k=1}`, `\int^b_a` and `f'_1` say what `v_0^2`, `\sum_{k=1}^3`, `\int_a^b` and
 * `f_1'` say. The rest of the parser knows the second order only.
 */
import type { Token } from "./lexer.js";

const isMark = (token: Token | undefined, text: string): boolean => token?.kind === "mark" && token.text === text;

/** Braces nested deeper are left as they are: no answer that can be parsed has them. */
const deepest = 60;

/** The position behind the argument that begins at `at`: a braced group or one token. */
function argumentEnd(tokens: Token[], at: number): number {
  if (!isMark(tokens[at], "{")) return at + 1;
  let depth = 0;
  for (let i = at; i < tokens.length; i++) {
    if (isMark(tokens[i], "{") && ++depth > deepest) break;
    if (isMark(tokens[i], "}") && --depth === 0) return i + 1;
  }
  return tokens.length;
}

/** Subscripts moved in front of the superscripts and primes they stand behind. */
export function subscriptsFirst(tokens: Token[]): Token[] {
  for (let i = 0; i < tokens.length; i++) {
    const primes = isMark(tokens[i], "'");
    if (!primes && !isMark(tokens[i], "^")) continue;
    let end = primes ? i + 1 : argumentEnd(tokens, i + 1);
    if (primes) while (isMark(tokens[end], "'")) end++;
    if (!isMark(tokens[end], "_")) {
      if (primes) i = end - 1;
      continue;
    }
    const subscript = tokens.slice(end, argumentEnd(tokens, end + 1));
    const upper = tokens.slice(i, end);
    tokens.splice(i, upper.length + subscript.length, ...subscript, ...upper);
  }
  return tokens;
}
