/** The verdict on one answer. */
import { contains, group, type Node, render } from "./ast.js";
import { compareAnswers } from "./compare/answers.js";
import { isChoice, sameChoices } from "./compare/choices.js";
import { type Context, different, equal, isEqual, type Outcome, undecided, type Verdict } from "./compare/verdict.js";
import { type Extraction, extract, extractGold } from "./extract.js";
import { Budget, defaultLimits, LimitReached, type Limits } from "./limits.js";
import { type Options, type OptionsInput, resolveOptions } from "./options.js";
import { plainText, readings } from "./parse/reading.js";
import { operators } from "./value/operators.js";

export interface Explanation {
  correct: boolean;
  /** "undecided": a limit was passed, or no proof either way; counts as not correct. */
  verdict: Outcome;
  /** Which rule decided, in words. */
  rule: string;
  /** The work counted for it, at most `limits.steps`. */
  steps: number;
  /** How the gold was read, in the notation of `render`. */
  gold?: string;
  /** How the prediction was read. */
  prediction?: string;
  /** The source of the answer found in the prediction, and how it was found. */
  extracted?: { text: string; how: Extraction["how"] };
}

/** Whether the answer in `prediction` equals `gold`. Never throws, always ends soon. */
export function verify(gold: string, prediction: string, options?: OptionsInput): boolean {
  const resolved = resolveOptions(options);
  const goldAnswer = gold.length > resolved.limits.text ? undefined : extractGold(gold);
  const answer = extract(prediction, resolved);
  return goldAnswer !== undefined && answer !== undefined && isEqual(judge(goldAnswer, answer, resolved).verdict);
}

/** The verdict with its reasons. */
export function explain(gold: string, prediction: string, input?: OptionsInput): Explanation {
  const options = resolveOptions(input);
  const tooLong = gold.length > options.limits.text;
  const goldAnswer = tooLong ? undefined : extractGold(gold);
  const answer = extract(prediction, options);
  const found = answer && { extracted: { text: answer.parts.join(", "), how: answer.how } };
  if (!goldAnswer) {
    const rule = tooLong ? "gold passes the limit on text" : "empty gold";
    return { correct: false, verdict: "undecided", rule, steps: 0, ...found };
  }
  if (!answer) return { correct: false, verdict: "different", rule: "no answer found", steps: 0 };
  const judged = judge(goldAnswer, answer, options);
  const { outcome, rule } = judged.verdict;
  const { gold: a, prediction: b } = judged.read;
  const read = { ...(a && { gold: render(a) }), ...(b && { prediction: render(b) }) };
  return { correct: outcome === "equal", verdict: outcome, rule, steps: judged.steps, ...read, ...found };
}

interface Judged {
  verdict: Verdict;
  read: { gold?: Node; prediction?: Node };
}

/** The verdict on the first reading of the place the answer stands in, or on another one that is equal. */
function judge(gold: Extraction, answer: Extraction, options: Options): Judged & { steps: number } {
  const budget = new Budget(options.limits);
  // What stands in a box was put there to be judged.
  if (answer.how === "box" && options.chains === "end") options = { ...options, chains: "hold" };
  const judged = judgeReadings(gold, answer, options, budget);
  return { ...judged, steps: budget.spent };
}

function judgeReadings(gold: Extraction, answer: Extraction, options: Options, budget: Budget): Judged {
  if (Math.max(lengthOf(gold), lengthOf(answer)) > options.limits.length)
    return { verdict: sameSource(gold, answer) ? equal("same text") : undecided(tooLong), read: {} };
  const first = judgeOne(gold, answer, options, budget);
  if (isEqual(first.verdict)) return first;
  const around = answer.alone && first.read.prediction?.kind === "text" && answer.alone[0] !== answer.parts[0];
  for (const parts of [...(answer.others ?? []), ...(around ? [answer.alone!] : [])]) {
    const other = judgeOne(gold, { parts, how: answer.how }, options, budget);
    if (isEqual(other.verdict)) return other;
  }
  return first;
}

const lengthOf = ({ parts }: Extraction): number => parts.reduce((sum, part) => sum + part.length, 0);
const tooLong = new LimitReached("length").message;

function judgeOne(gold: Extraction, answer: Extraction, options: Options, budget: Budget): Judged {
  const [goldPlain, answerPlain] = [gold.parts.map(plainText).join(","), answer.parts.map(plainText).join(",")];
  if (answerPlain === "") return { verdict: different("empty answer"), read: {} };
  if (isChoice(goldPlain, answer.parts) || sameChoices(gold.parts, answer.parts))
    return { verdict: equal("choice"), read: {} };
  const read: Judged["read"] = {};
  try {
    const context: Context = {
      options: gold.parts.some((part) => repeating.test(part))
        ? { ...options, decimals: Number.POSITIVE_INFINITY }
        : options,
      budget,
    };
    let first: Verdict | undefined;
    const meaning = options.words === "meaning";
    for (const a of readParts(gold, options.limits, meaning)) {
      for (const b of readParts(answer, options.limits, meaning)) {
        if (first && (isPair(a) || isPair(b))) continue;
        const verdict = unevaluated(a, b, options) ?? compareTextOr(a, b, goldPlain, answerPlain, context);
        if (!first || isEqual(verdict)) {
          read.gold = a;
          read.prediction = b;
        }
        if (isEqual(verdict)) return { verdict, read };
        first ??= verdict;
      }
    }
    return { verdict: first ?? undecided("nothing to read"), read };
  } catch (problem) {
    if (sameSource(gold, answer)) return { verdict: equal("same text"), read };
    return { verdict: undecided(reason(problem)), read };
  }
}

/** `0.\overline{3}`: asked for exactly, so that 0.333333 is another number. */
const repeating = /\.\d*\\(?:overline|dot|bar)/;

/** Another reading is not tried against a tuple: `100,200` is never the point (100, 200). */
const isPair = (node: Node): boolean => node.kind === "group" && (node.open === "(" || node.open === "[");

/** `\\int_0^1 x\\,dx` for 1/2 says no more than the question. */
function unevaluated(gold: Node, answer: Node, options: Options): Verdict | undefined {
  const open = (node: Node): boolean =>
    node.kind === "rel"
      ? open(node.args.at(-1)!)
      : contains(node, (inner) => inner.kind === "call" && operators.has(inner.op));
  return options.operators === "evaluated" && open(answer) && !open(gold) ? different("not evaluated") : undefined;
}

/** A mistake of ours must not stop a training run: it is reported as undecided, with its message. */
const reason = (problem: unknown): string => {
  if (problem instanceof LimitReached) return problem.message;
  return `internal error: ${problem instanceof Error ? problem.message : String(problem)}`;
};

const sameSource = (a: Extraction, b: Extraction): boolean => {
  const bare = (extraction: Extraction): string => extraction.parts.join(",").replace(/\s/g, "");
  return bare(a) === bare(b);
};

/** Words are compared as words when either side is one; formulas by meaning. */
function compareTextOr(a: Node, b: Node, goldPlain: string, answerPlain: string, context: Context): Verdict {
  if (a.kind === "text" || b.kind === "text") {
    if (goldPlain === answerPlain) return equal("text");
  }
  return compareAnswers(a, b, context);
}

/** The readings of an extraction; several parts are a list. */
function* readParts(extraction: Extraction, limits: Limits, meaning = false): Generator<Node> {
  const { parts } = extraction;
  if (parts.length === 1 || parts.some((part) => /^0\d\d$/.test(part))) {
    yield* readings(parts.join(", "), limits, meaning);
    return;
  }
  yield group(
    "",
    "",
    parts.map((part) => {
      for (const node of readings(part, limits, meaning)) return node;
      return { kind: "text", text: part };
    }),
  );
}

/** How a LaTeX answer is read, or undefined past a limit. */
export function parse(latex: string, limits: Limits = defaultLimits): Node | undefined {
  try {
    const answer = extractGold(latex);
    if (answer) for (const node of readParts(answer, limits)) return node;
  } catch {
    // Past a limit: not readable.
  }
  return undefined;
}

/** Whether a gold can be judged against: it is read as a formula or as words, within the limits. */
export function canParse(gold: string): boolean {
  const node = parse(gold);
  return node !== undefined && (node.kind !== "text" || /[\p{L}\p{N}]/u.test(plainText(node.text)));
}
