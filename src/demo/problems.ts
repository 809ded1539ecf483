import { UserError } from "../errors.js";
import { hashText, type Random, seededRandom } from "./random.js";

/**
 * The demo's task: sums of 2 to 7 terms, asked as an expression or as a little story.
 * Every value on the way lies in 0…99, so a right answer is easy step by step and hard at a glance.
 */

export const LEVELS = [1, 2, 3, 4, 5, 6] as const;

/** Difficulty: the number of operations in the problem. */
export type Level = (typeof LEVELS)[number];

export type Split = "train" | "test";

/** One signed term: a number, or a product of two one-digit numbers. */
export interface Term {
  sign: 1 | -1;
  /** One factor (a plain number) or two (a product). */
  factors: number[];
}

/** A problem with its worked solution; `problem` and `solution` are the columns the trainer reads. */
export interface Problem {
  level: Level;
  kind: "expression" | "story";
  /** The question as the user asks it. */
  problem: string;
  /** The gold answer. */
  solution: string;
  terms: Term[];
  /** One equation per operation, products first, then left to right: "3*7=21", "12+21=33". */
  steps: string[];
}

export interface ProblemOptions {
  split: Split;
  /** Same seed, same problems. */
  seed: number;
  count: number;
}

/** A tenth of all problems is held out; which tenth is fixed for ever by a hash, not by a seed. */
const TEST_SHARE = 10;
const LARGEST = 99;
/** Level 1 has few held-out sums; with their wordings this many problems are always found quickly. */
const MOST_TEST_PROBLEMS = 3_000;

/**
 * Problems of one split, levels in turn (problem i has level 1 + i mod 6). Test problems are distinct;
 * training problems of the small levels may come again.
 * @throws UserError when count is not a positive integer or exceeds what the split can give.
 */
export function generateProblems({ split, seed, count }: ProblemOptions): Problem[] {
  const most = split === "test" ? MOST_TEST_PROBLEMS : 1_000_000;
  if (!Number.isInteger(count) || count < 1 || count > most)
    throw new UserError(`demo problems: count is ${count}; ask the ${split} split for 1 to ${most}`);
  const random = seededRandom(seed);
  const seen = new Set<string>();
  const problems: Problem[] = [];
  while (problems.length < count) {
    const problem = drawProblem(random, LEVELS[problems.length % LEVELS.length] as Level);
    if (splitOf(problem.terms) !== split) continue;
    if (split === "test" && seen.has(problem.problem)) continue;
    seen.add(problem.problem);
    problems.push(problem);
  }
  return problems;
}

/** The split of a sum. Order of terms, order of factors and wording don't matter, so no test sum is trained on in disguise. */
export function splitOf(terms: readonly Term[]): Split {
  const key = terms
    .map(({ sign, factors }) => `${sign > 0 ? "+" : "-"}${[...factors].sort((a, b) => a - b).join("*")}`)
    .sort()
    .join("");
  return hashText(key) % TEST_SHARE === 0 ? "test" : "train";
}

/** A problem of the given level from either split. */
export function drawProblem(random: Random, level: Level): Problem {
  const terms = drawTerms(random, level);
  const { steps, value } = solve(terms);
  const kind = random.chance(0.3) ? "story" : "expression";
  const problem = kind === "story" ? story(random, terms) : `What is ${expression(terms)}?`;
  return { level, kind, problem, solution: String(value), terms, steps };
}

/** The sum as it is written: "12+3*7-4". */
export function expression(terms: readonly Term[]): string {
  return terms.map((term, i) => (i === 0 ? "" : sign(term)) + term.factors.join("*")).join("");
}

/** Works a sum out, products first and then left to right, one equation per operation. */
export function solve(terms: readonly Term[]): { steps: string[]; value: number } {
  const steps = terms.filter((t) => t.factors.length > 1).map((t) => `${t.factors.join("*")}=${product(t)}`);
  let value = 0;
  for (const [i, term] of terms.entries()) {
    const before = value;
    value += term.sign * product(term);
    if (i > 0) steps.push(`${before}${sign(term)}${product(term)}=${value}`);
  }
  return { steps, value };
}

/** Terms whose sum takes `level` operations; half of the sums of two operations or more hold one product. */
function drawTerms(random: Random, level: Level): Term[] {
  const withProduct = level === 1 ? random.chance(0.2) : random.chance(0.5);
  const length = withProduct ? level : level + 1;
  const productAt = withProduct ? random.integer(0, length - 1) : -1;
  const terms: Term[] = [];
  let value = 0;
  for (let i = 0; i < length; i++) {
    const term = drawTerm(random, value, i === 0, i === productAt);
    value += term.sign * product(term);
    terms.push(term);
  }
  return terms;
}

/** A term that keeps the running value in 0…99. */
function drawTerm(random: Random, value: number, first: boolean, asProduct: boolean): Term {
  for (;;) {
    const factors = asProduct
      ? [random.integer(2, 9), random.integer(2, 9)]
      : [random.chance(0.5) ? random.integer(1, 9) : random.integer(10, 49)];
    const term: Term = { sign: first || random.chance(0.5) ? 1 : -1, factors };
    for (const sign of [term.sign, -term.sign] as const) {
      const after = value + sign * product(term);
      if (after >= 0 && after <= LARGEST && !(first && sign < 0)) return { ...term, sign: sign as 1 | -1 };
    }
  }
}

const NAMES = ["Mia", "Tom", "Ana", "Leo"] as const;
const THINGS = ["coins", "cards", "shells", "beads"] as const;
const GAINS = ["finds", "buys", "wins"] as const;
const LOSSES = ["loses", "sells", "gives"] as const;

/** The same sum as a story: "Mia has 12 coins, finds 3 bags of 7, loses 4. How many coins?" */
function story(random: Random, terms: readonly Term[]): string {
  const things = random.pick(THINGS);
  const clauses = terms.map((term, i) => {
    if (i === 0) return `has ${amount(term)} ${things}`;
    return `${random.pick(term.sign > 0 ? GAINS : LOSSES)} ${amount(term)}`;
  });
  return `${random.pick(NAMES)} ${clauses.join(", ")}. How many ${things}?`;
}

const amount = (term: Term): string => term.factors.join(" bags of ");
const product = (term: Term): number => term.factors.reduce((a, b) => a * b, 1);
const sign = (term: Term): string => (term.sign > 0 ? "+" : "-");

/** Every word a question may hold, for the tokenizer. */
export const QUESTION_WORDS: readonly string[] = [
  ...["What", " is", " has", " bags", " of", " How", " many"],
  ...NAMES,
  ...[...THINGS, ...GAINS, ...LOSSES].map((word) => ` ${word}`),
];
