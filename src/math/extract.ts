/**
 * Finding the answer in a completion. Every scan is linear in the text.
 *
 * Order: the last box (with the boxes beside it); a formula behind "answer is" or "answer:"; and, where the options say
 * "anywhere", the words behind that anchor, the last formula, the last number, the whole text.
 */
import { type Place as Box, readingsBehind, readingsOfBox } from "./extract/around.js";
import { announcementEnd, bareFormula, isOpenEnded, isWords, lastNumber, sentence } from "./extract/prose.js";
import type { Options } from "./options.js";
import { western } from "./parse/lexer.js";

export interface Extraction {
  /** The source of each part: one, or several for boxes side by side. */
  parts: string[];
  /** Other readings of the same place: `10` for `\boxed{10}\%`. */
  others?: string[][];
  /** The box without what stands around it, for when that is no formula. */
  alone?: string[];
  how: "box" | "anchored formula" | "anchored text" | "formula" | "number" | "text";
}

/** The position of the brace that closes each `{`, or -1; escaped braces do not count. */
function matchBraces(text: string): Int32Array {
  const close = new Int32Array(text.length).fill(-1);
  const open: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === 92) i++;
    else if (char === 123) open.push(i);
    else if (char === 125 && open.length > 0) close[open.pop()!] = i;
  }
  return close;
}

const strictBox = /\\boxed\{/g;
const anyBox = /\\(?:boxed|fbox|framebox)\s{0,4}\{/g;

/** The outermost boxes with their braces closed, in order. */
function findBoxes(text: string, strict: boolean): Box[] {
  if (!text.includes("box")) return [];
  const close = matchBraces(text);
  const boxes: Box[] = [];
  let end = 0;
  for (const match of text.matchAll(strict ? strictBox : anyBox)) {
    const brace = match.index + match[0].length - 1;
    const last = close[brace]!;
    if (match.index < end || last < 0) continue;
    boxes.push({ start: match.index, end: last + 1, content: text.slice(brace + 1, last) });
    end = last + 1;
  }
  return boxes;
}

/** Between boxes that are one answer: delimiters, commas, "and", "or". */
const beside =
  /^(?:\s|[$,;.&]|\\[()[\],;!]|\\text\s*\{\s*(?:and|or)\s*\}|\\quad|and\b|or\b|(?:for\s)?(?:part|question)\s\(?[a-z\d]\)?|for\s\([a-z\d]\))*$/i;

function lastBoxes(text: string, boxes: Box[], manyBoxes: Options["manyBoxes"]): Extraction {
  let first = boxes.length - 1;
  while (manyBoxes === "set" && first > 0) {
    const gap = text.slice(boxes[first - 1]!.end, boxes[first]!.start);
    if (gap.length > 40 || !beside.test(gap)) break;
    first--;
  }
  const parts = [...new Set(boxes.slice(first).map((box) => box.content.trim()))];
  if (boxes.length - first > 1) return { parts, how: "box" };
  const [usual, ...others] = readingsOfBox(text, boxes.at(-1)!);
  return { parts: [usual!.trim()], others: others.map((other) => [other.trim()]), alone: parts, how: "box" };
}

const anchor = /answer(?:\s+(?:is|was|equals))?\s{0,3}:?\s{0,3}(?:\*\*)?\s{0,3}:?\s{0,3}(?=\$|\\\(|\\\[)/gi;

function lastMatch(text: string, pattern: RegExp): number | undefined {
  let end: number | undefined;
  for (const match of text.matchAll(pattern)) end = match.index + match[0].length;
  return end;
}

const closers: Record<string, string> = { $$: "$$", $: "$", "\\(": "\\)", "\\[": "\\]" };

/** The formula that opens at `at`, with the position behind it. */
function formulaAt(text: string, at: number): { content: string; end: number } | undefined {
  const opener = ["$$", "$", "\\(", "\\["].find((mark) => text.startsWith(mark, at));
  if (!opener) return undefined;
  const closer = closers[opener]!;
  const start = at + opener.length;
  // As in Markdown, a `$` before a line break opens no inline formula.
  if (opener === "$" && /^[ \t]*\n/.test(text.slice(start, start + 20))) return undefined;
  for (let i = start; i < text.length; i++) {
    if (text.startsWith(closer, i)) return { content: text.slice(start, i), end: i + closer.length };
    if (text[i] === "\\") i++;
  }
  return undefined;
}

/** The last complete formula of the text. */
function lastFormula(text: string): { content: string; end: number } | undefined {
  let found: { content: string; end: number } | undefined;
  // An opener without a closer: no later opener of its kind has one either.
  const unclosed = new Set<string>();
  let i = 0;
  while (i < text.length) {
    const char = text[i]!;
    const opener = char === "$" ? char : char === "\\" ? text.slice(i, i + 2) : "";
    if (opener === "" || unclosed.has(opener)) {
      i += opener.length || 1;
      continue;
    }
    const formula = formulaAt(text, i);
    if (formula && formula.content.trim() !== "") found = formula;
    if (!formula) unclosed.add(opener);
    i = formula ? formula.end : i + opener.length;
    if (!formula && char === "$") break;
  }
  return found;
}

const tailLength = 20_000;
/** Texts longer than this are no answer by themselves. */
const answerLength = 1_000;

/** The answer of a completion, or undefined when there is none where the options look. */
export function extract(
  text: string,
  options: Pick<Options, "extraction" | "boxes" | "manyBoxes" | "limits">,
): Extraction | undefined {
  text = text.slice(-options.limits.text);
  const boxes = findBoxes(text, options.boxes === "strict");
  if (boxes.length > 0) return lastBoxes(text, boxes, options.manyBoxes);
  // Answers stand at the end: that much of it is searched for anchors and formulas.
  text = text.slice(-tailLength);
  const anchored = lastMatch(text, anchor);
  const formula = anchored === undefined ? undefined : formulaAt(text, anchored);
  if (formula) {
    const [usual, ...others] = readingsBehind(formula.content.trim(), text.slice(formula.end, formula.end + 80));
    return { parts: [usual!], others: others.map((other) => [other]), how: "anchored formula" };
  }
  const fraction = bareFraction(text);
  if (fraction) return { parts: [fraction], how: "anchored formula" };
  return options.extraction === "anywhere" ? extractAnywhere(text) : undefined;
}

/** `the answer is \frac{1}{2}.`: a fraction of integers is a formula without delimiters too. */
function bareFraction(text: string): string | undefined {
  let found: string | undefined;
  for (const match of text.matchAll(anchoredFraction)) found = match[1];
  return found;
}

const anchoredFraction =
  /(?:answer\s+is\s{0,3}:?|answer\s{0,3}:|<answer>)\s{0,3}((?:[a-zA-Z]\s?=\s?)?-?\\[dt]?frac\{\d{1,40}\}\{\d{1,40}\})\s{0,3}(?:\.?\s|\.?$|<)/gi;

function extractAnywhere(completion: string): Extraction | undefined {
  const text = western(completion);
  const marked = lastMatch(text, /####[ \t]*(?=\S)/g);
  if (marked !== undefined) return { parts: [text.slice(marked).split("\n")[0]!.trim()], how: "anchored text" };
  const at = announcementEnd(text);
  const words = at === undefined ? "" : sentence(text.slice(at, at + 400).replaceAll("**", " ")).trim();
  if (words !== "") {
    // `D, because …`
    const letter = /^\(?([A-J])\)?(?:,|$)/.exec(words)?.[1];
    const other = letter ? [letter] : isWords(words) && !isOpenEnded(words) ? lastValue(words)?.parts : undefined;
    return { parts: [words], ...(other && { others: [other] }), how: "anchored text" };
  }
  const value = lastValue(text);
  if (value) return value;
  return text.trim() === "" || text.length > answerLength ? undefined : { parts: [text.trim()], how: "text" };
}

/** The last formula with what stands behind it, or a number still further on. */
function lastValue(text: string): Extraction | undefined {
  const formula = lastFormula(text) ?? bareFormula(text);
  const tail = formula ? text.slice(formula.end) : text;
  const number = formula || isWords(text) ? lastNumber(tail) : undefined;
  if (number) return { parts: [number.text], how: "number" };
  if (!formula) return undefined;
  const [usual, ...others] = readingsBehind(formula.content.trim(), tail);
  return { parts: [usual!], others: others.map((other) => [other]), how: "formula" };
}

/** The answer of a gold: its boxes, or the whole text without its formula delimiters. */
export function extractGold(gold: string): Extraction | undefined {
  const boxes = findBoxes(gold, false);
  if (boxes.length > 0) return lastBoxes(gold, boxes, "set");
  const text = gold.trim().replace(/^\\[([]|\\[)\]]$/g, "");
  const bare = text.replace(/(\\.)|\$/gs, (_, escaped: string | undefined) => escaped ?? " ").trim();
  return bare === "" ? undefined : { parts: [bare], how: "text" };
}
