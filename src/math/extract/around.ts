/**
 * What stands around a box and belongs to the answer: `-\boxed{5}`, `\boxed{2}\pi`, `\frac{1}{\boxed{4}}`,
 * `x \le \boxed{3}`, `\boxed{10}\%`, `$\boxed{5}$ km`, `\boxed{1.5} million`.
 *
 * Arithmetic around the box counts; of a chain of equations only the side with the box. A percent sign and an
 * inequality leave both readings open.
 */
import { magnitudes } from "../parse/names.js";
import { isUnitWord, measure } from "../parse/units.js";

export interface Place {
  start: number;
  end: number;
  content: string;
}

/** How far around a box we look. */
const reach = 300;

const percentSign =
  /^(?:\s|\\[,;: ]|~|\$|\\[)\]]|\*)*(?:\\?%|(?:\\text\s?\{\s*)?(?:percent(?:age)?|per\s?cent|pct)\b\s?\}?)/;
const degreeSign = /^\$?(?:\s?°|\^\{?\\circ\}?)/;

/** A formula with the percent sign, degree sign or unit behind it: its readings, the usual one first. */
export function readingsBehind(content: string, behind: string): string[] {
  if (percentSign.test(behind)) return /%$/.test(content) ? [`${content}\\%`] : [`${content}\\%`, content];
  if (degreeSign.test(behind)) return [`${content}^\\circ`];
  const unit = unitBehind(behind);
  return [content + unit];
}

/** The readings of a box with what stands around it, the usual one first. */
export function readingsOfBox(text: string, box: Place): string[] {
  const behind = text.slice(box.end, box.end + reach);
  const measured = readingsBehind(box.content, behind);
  if (measured[0] !== box.content) return measured;
  if (/[=<>,]|\\(?:le|ge|in|ne|approx|text)/.test(box.content)) return [box.content];
  // `\\\\boxed`: a backslash too many, from an escaped text.
  const paragraph = text
    .slice(Math.max(0, box.start - 2_000), box.start)
    .replace(/\\{1,9}$/, "")
    .split(/\n\s*\n/)
    .at(-1)!;
  const inMath = isOpen(paragraph);
  const [left, right] = [before(paragraph.slice(-reach), inMath), after(behind, inMath)];
  const sides = [afterRelation(left), beforeRelation(right)] as const;
  const term = join(sides[0], box.content, sides[1]);
  const whole = join(left, box.content, right);
  return inequality.test(left) || inequality.test(right) ? [term, whole] : [term];
}

/** Whether a formula is open at the end of the text. */
function isOpen(text: string): boolean {
  const dollars = text.replace(/\\[\\$]/g, "").split("$").length - 1;
  const opened = Math.max(text.lastIndexOf("\\("), text.lastIndexOf("\\["), text.lastIndexOf("\\begin{"));
  const closed = Math.max(text.lastIndexOf("\\)"), text.lastIndexOf("\\]"), text.lastIndexOf("\\end{"));
  return dollars % 2 === 1 || opened > closed;
}

/** Where a term ends on either side: delimiters, cells, commas, words, arrows. */
const boundary =
  /\$|\\[()[\]]|\\\\|&|[,;\n]|(?<=[a-zA-Z]):|\\(?:text|textbf|mbox|mathrm|begin|end)\s?\{[^{}]*\}|\\(?:q?quad|p?mod|bmod|implies|iff|therefore|because|to|(?:Long)?[rR]ightarrow|Leftrightarrow)(?![a-zA-Z])/g;
const prose = /(?<![\\a-zA-Z])[a-zA-Z]{2,}(?![a-zA-Z]*\{)/;
const decoration = /\\(?:checkmark|blacksquare|square|Box|qed|,|;|!|:| )(?![a-zA-Z])|~/g;
/** `(a)`, `(1)` in front: the number of a question. */
const enumeration = /^\s*\([a-z\d]{1,3}\)\s*$/i;

function before(text: string, inMath: boolean): string {
  // A price: the sign of a currency is no delimiter.
  const currency = /(?:\\\$|[€£¥₹])\s?$/.exec(text)?.[0];
  if (currency !== undefined) return currency;
  const last = [...text.matchAll(boundary)].at(-1);
  const side = (last ? text.slice(last.index + last[0].length) : text).replace(decoration, " ");
  if (inMath) return enumeration.test(side) || prose.test(side) ? "" : side.trim();
  const word = side
    .split(/\s/)
    .at(-1)!
    .replace(/^[*_`]+/, "");
  return /(?<![\\a-zA-Z])[a-zA-Z]|:$/.test(word) || enumeration.test(word) ? "" : word;
}

function after(text: string, inMath: boolean): string {
  const first = text.match(new RegExp(boundary.source))?.index ?? text.length;
  const side = text.slice(0, first).replace(decoration, " ");
  if (inMath) return prose.test(side) ? "" : side.replace(/[.!\s]+$/, "").trim();
  const glued = /^\s?(?=\\[a-z]|\^)/.test(side) ? side.trim().split(/\s(?!\\)/)[0]! : side.split(/\s/)[0]!;
  const bare = glued.replace(/[*_`.!?:"']+$/, "");
  return prose.test(bare) || /['"]/.test(bare) ? "" : bare;
}

const relationSign = /[=<>≤≥≈]|\\(?:leq?|leqslant|geq?|geqslant|neq?|approx|equiv|in|lt|gt)(?![a-zA-Z])/;
const inequality = /[<>≤≥]|\\(?:leq?|leqslant|geq?|geqslant|lt|gt)(?![a-zA-Z])/;

const afterRelation = (side: string): string => side.split(relationSign).at(-1)!;
const beforeRelation = (side: string): string => side.split(relationSign)[0]!;

/** The content in its place, or alone where the braces around it do not close. */
function join(left: string, content: string, right: string): string {
  if (left.trim() === "" && right.trim() === "") return content;
  const plain = /^[\w.]+$/.test(content) && !/[a-zA-Z\d]\s*$/.test(left) && !/^\s*[a-zA-Z\d]/.test(right);
  const whole = `${left}${plain ? content : `{${content}}`}${right}`;
  return isBalanced(whole) ? whole : content;
}

function isBalanced(text: string): boolean {
  const open: string[] = [];
  for (const [mark] of text.replace(/\\[{}]/g, "").matchAll(/[()[\]{}]/g)) {
    if ("([{".includes(mark)) open.push(mark);
    else if ("([{".indexOf(open.pop() ?? " ") !== ")]}".indexOf(mark)) return false;
  }
  return open.length === 0;
}

/** The unit behind a box or its closing delimiter: `$\boxed{5}$ km`, `\boxed{25} sq. units`, `\boxed{3} million`. */
function unitBehind(text: string): string {
  const words: string[] = [];
  const rest = text.replace(/^(?:\\[,;: )\]]|[\s$~*])+/, "").slice(0, 60);
  for (const match of rest.matchAll(
    /\s*(?:\\(?:text|mathrm|textrm)\s?\{\s*)?([a-zA-Z]+)\.?\s?\}?(?:\$?\^\{?\d\}?)?(?:\/|\s|(?=[^a-zA-Z\d])|$)/gy,
  )) {
    const word = match[1]!;
    const last = match[0].endsWith("/") || /^\s*(?:[.,;!?)*$\\]|$)/.test(rest.slice(match.index + match[0].length));
    if (!isUnit(word, last)) break;
    words.push(`\\text{ ${word} }${/\^\{?\d/.exec(match[0])?.[0].replace("{", "") ?? ""}`);
    if (match[0].endsWith("/")) words.push("/");
  }
  return words.join("");
}

/** A known unit; letters and words such as "in" or "second" only where nothing follows. */
function isUnit(word: string, last: boolean): boolean {
  if (word.toLowerCase() in magnitudes) return true;
  if (!isUnitWord(word) && measure(word) === undefined) return false;
  return last || (word.length > 2 && word !== "second");
}
