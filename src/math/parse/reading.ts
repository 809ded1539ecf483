/** From the text of an answer to its structure. */
import type { Node } from "../ast.js";
import type { Limits } from "../limits.js";
import { LimitReached } from "../limits.js";
import { parseAnswer } from "./answer.js";
import { joinDifferentials } from "./calculus.js";
import { Cursor, NotFormula } from "./cursor.js";
import { type LexOptions, lex } from "./lexer.js";
import { fontCommands, functions, gluedFunction, textCommands } from "./names.js";
import { isQualified, quantity } from "./quantity.js";
import { subscriptsFirst } from "./scripts.js";
import { isUnitWord } from "./units.js";

/** All ways to read an answer, the usual one first; with the meaning of words if asked. Throws LimitReached. */
export function* readings(source: string, limits: Limits, meaning = false): Generator<Node> {
  if (source.length > limits.length) throw new LimitReached("length");
  source = singleBackslashes(source);
  source = source.replace(
    integerParameter,
    (_, before?: string, after?: string) => `, ${before ?? after} \\in \\mathbb{Z}`,
  );
  const text = joinGroups(meaning ? understand(source.trim()) : source.trim());
  const usual = { limits, thousands: true, scientific: true };
  yield read(text, usual);
  // `3,14` may be a number of a country with decimal commas, where no thousands and no pair of digits say otherwise.
  if (meaning && /^-?(?:\d{1,3},(?:\d{2}|\d{4,})|\d{4,},\d+)$/.test(text)) yield read(text.replace(",", "."), usual);
  // `100,200` may be two numbers, `2e-1` a product.
  if (/\d,\d{3}/.test(text)) yield read(text, { ...usual, thousands: false });
  if (/(?<![.\d])\d{1,3}(?:\s*\\(?:cdot|times)\s*)?e[+-]?\d(?![\d.])/.test(text))
    yield read(text, { ...usual, scientific: false });
}

/** `\\\\frac{1}{2}` from an escaped text: when every command has a backslash too many, it is dropped. */
function singleBackslashes(text: string): string {
  if (!/\\\\[a-zA-Z]/.test(text) || /(?<!\\)\\(?:\\\\)*[a-zA-Z]/.test(text)) return text;
  return text.replace(/\\\\/g, "\\");
}

/** `\text{ for any integer } k`, `where $k$ is an integer`: what `, k \in \mathbb{Z}` says. */
const integerParameter =
  /[\s,$]*\\text\s?\{\s*,?\s?(?:for|where)\s(?:\w+\s)?(?:integers?[\s}$]*([a-z])|[\s}$]*([a-z])[\s$]*(?:\\text\s?\{\s*)?is an integer)[\s}$.]*$/;

/** `\text{Answer: } 5`, `The answer is 5`: words that announce the answer. */
const announcement =
  /^(?:\\(?:text|textbf|mathrm|mbox)\s{0,2}\{[^{}\\]{0,80}(?::|\b(?:is|are|equals))\s{0,2}\}|(?:the\s)?(?:final\s)?answer\s?(?:is\b|:)):?\s{0,3}(?=\S)/i;

/** Words with one spelling in symbols, as `plainText` leaves them. */
const meanings: [RegExp, string][] = [
  [/^(?:no(?:real|integer|such)?(?:solutions?|roots?)|(?:the)?emptyset)$/, "\\emptyset"],
  [/^(?:all|any|every)real(?:s|numbers?|valuesofx|x)?$/, "\\mathbb{R}"],
  [/^(?:dne|doesnotexist)$/, "\\text{does not exist}"],
];

function understand(text: string): string {
  const answer = text.replace(announcement, "");
  const plain = answer.length < 60 ? plainText(answer) : "";
  return meanings.find(([words]) => words.test(plain))?.[1] ?? answer;
}

/** `10, 080`: nobody writes an element of a list with a leading zero, so these are thousands, whatever stands between. */
function joinGroups(text: string): string {
  if (!/(?<![\d.])0\d\d(?!\d)/.test(text) || text.includes("(")) return text;
  return text.replace(groups, (_, head: string, tail: string) => head + tail.replace(/\D+(0\d\d)/g, "{,}$1"));
}

const groups = /(?<![\d.])(\d{1,3})((?:(?:\s|\\ )*(?:[,;](?:\\ )?|\\text\s*\{\s*(?:and|or)\s*\})\s*0\d\d(?!\d))+)/g;

function read(text: string, options: LexOptions): Node {
  const counted = countedThings(text);
  if (counted) {
    const value = read(counted.value, options);
    if (value.kind !== "text") return quantity(value, counted.things);
  }
  if (isProse(text)) return { kind: "text", text };
  const inner = textContent(text);
  if (inner !== undefined && !/^[-+\d.,\s$%\\!/]+$|^\d\d?:\d\d\s?[ap]\.?m\.?$/i.test(inner))
    return { kind: "text", text: inner };
  const tokens = joinDifferentials(subscriptsFirst(lex(inner ?? text, options)));
  try {
    return parseAnswer(new Cursor(tokens, options.limits));
  } catch (problem) {
    if (problem instanceof NotFormula) return { kind: "text", text };
    throw problem;
  }
}

/** `15 white marbles`: a value and words of what is counted, unless the words say more ("or more", "less than"). */
function countedThings(text: string): { value: string; things: string } | undefined {
  const match = /^(.{0,200}[\d})\]%])\s+([a-zA-Z][a-zA-Z\s]*?)\.?$/s.exec(text) ?? bracketedUnit.exec(text);
  if (!match || isProse(match[1]!) || isQualified(match[2]!)) return undefined;
  const words = match[2]!.split(/\s+/);
  if (words.length < 2 && words[0]!.length < 4 && !isUnitWord(words[0]!)) return undefined;
  if (words.some((word) => functions.has(word) || word.length === 1)) return undefined;
  return { value: match[1]!, things: match[2]! };
}

/** `44 (candles)`, `70 (inches)`. */
const bracketedUnit = /^([^a-zA-Z]{0,60}[\d}%])\s?\(([a-zA-Z]{2,}[a-zA-Z\s]*)\)$/s;

/** The content of an answer that is one `\text{…}` as a whole. */
function textContent(text: string): string | undefined {
  const match = /^\\([a-z]+)\s*\{([^{}]*)\}[.\s]*$/.exec(text);
  return match && textCommands.has(match[1]!) && match[2]!.trim().length > 1 ? match[2]! : undefined;
}

/** Bare words outside commands: "concave up everywhere" is no product of letters, `MR = SRMC` may be one. */
function isProse(text: string): boolean {
  if (shortWords.test(text)) return true;
  const bare = text.replace(/\\[a-zA-Z]+(?:_?\{[a-zA-Z ]+\})?/g, proseOf);
  let wordEnd = -1;
  for (const match of bare.matchAll(/(?<![_a-zA-Z])[a-zA-Z]{3,}/g)) {
    const run = match[0];
    if (gluedFunction.test(run) || functions.has(run) || isUnitWord(run) || notProse.has(run)) continue;
    // One long word outside an equation or as a heading ("Solution is:"), or two words side by side.
    const long = run.length >= 5 && (!/[=<>]/.test(text) || /^[a-zA-Z ]*:/.test(bare.slice(match.index)));
    if (long || (wordEnd >= 0 && /^[ ,]+$/.test(bare.slice(wordEnd, match.index)))) return true;
    wordEnd = match.index + run.length;
  }
  return false;
}

const shortWords = /^\s*(?:yes|no|true|false|none|even|odd|both|all|never|always)\s*\.?\s*$/i;
const notProse = new Set("and for when inf infinity percent percentage pct".split(" "));

/** What a command contributes to prose: `\textbf{word}` its word, others nothing. */
function proseOf(command: string): string {
  const match = /^\\([a-zA-Z]+)(?:\{(.*)\})?/.exec(command);
  if (!match) return " ";
  return fontCommands.has(match[1]!) && match[2] ? ` ${match[2]} ` : " ";
}

const wrapper = new RegExp(
  `\\\\(?:${[...textCommands, ...fontCommands].join("|")}|left|right|displaystyle|quad|qquad)(?![a-zA-Z])`,
  "g",
);

/** The words of an answer without fonts, spaces, braces, case and closing punctuation: for comparing text. */
export function plainText(source: string): string {
  let text = source
    .replace(/\\[dtc]frac/g, "\\frac")
    .replace(wrapper, "")
    .replace(/\\[,;:! ()[\]]|[\s~${}]/g, "")
    .toLowerCase()
    .replace(/(?<=\d)([ap])\.m\b/, "$1m");
  text = text.replace(/[.,;:!]+$/, "");
  while (/^\([^(),]*\)$/.test(text)) text = text.slice(1, -1);
  return text.replace(/[.,;:!]+$/, "");
}
