import { generateProblems, type Level, type Problem } from "./problems.js";
import { type Random, seededRandom } from "./random.js";

/**
 * The warm-up corpus: answers in mixed styles. The model learns from it both how to work a sum out
 * and the bad habit of not doing so, the more the harder the sum: what GRPO then has to change.
 */

export const STYLES = ["careful", "rash", "hasty", "rambling", "unclosed"] as const;

/** careful: all steps · rash: a guess · hasty: some steps, then a guess · rambling: doubts, then a guess · unclosed: never ends its thinking. */
export type Style = (typeof STYLES)[number];

export interface Example {
  /** The user's question, which the trainers put through the chat template. */
  problem: string;
  /** What follows the prompt's "<think>\n". */
  completion: string;
  style: Style;
  level: Level;
}

/** Probability of each style by level; the rest of a row is "rash". */
const MIX: Record<Level, Record<Exclude<Style, "rash">, number>> = {
  1: { careful: 0.82, hasty: 0.0, rambling: 0.04, unclosed: 0.03 },
  2: { careful: 0.62, hasty: 0.04, rambling: 0.07, unclosed: 0.04 },
  3: { careful: 0.43, hasty: 0.06, rambling: 0.11, unclosed: 0.05 },
  4: { careful: 0.28, hasty: 0.08, rambling: 0.15, unclosed: 0.05 },
  5: { careful: 0.18, hasty: 0.1, rambling: 0.19, unclosed: 0.06 },
  6: { careful: 0.12, hasty: 0.1, rambling: 0.22, unclosed: 0.06 },
};

/**
 * Answers to training problems only: no test problem, in any wording, is among them.
 * @throws UserError when count is not a positive integer within bounds.
 */
export function generateCorpus({ seed, count }: { seed: number; count: number }): Example[] {
  const random = seededRandom(seed + 1_000_003);
  return generateProblems({ split: "train", seed, count }).map((problem) => {
    const style = drawStyle(random, problem.level);
    return { problem: problem.problem, completion: answer(random, problem, style), style, level: problem.level };
  });
}

/** One answer in the given style. */
export function answer(random: Random, problem: Problem, style: Style): string {
  const { steps, solution } = problem;
  const guess = String(random.integer(0, 99));
  switch (style) {
    case "careful":
      return close(steps, solution);
    case "rash":
      return close([random.pick(RASH)], guess);
    case "hasty":
      return close([...steps.slice(0, random.integer(1, steps.length - 1)), random.pick(HASTY)], guess);
    case "rambling":
      return close(ramble(random, steps), guess);
    case "unclosed":
      return `${steps.join("\n")}\n\\boxed{${solution}}`;
  }
}

const RASH = ["Easy, I know this.", "Easy."] as const;
const HASTY = ["The rest is easy.", "And so on."] as const;
const DOUBTS = ["Wait, is that right?", "Let me see.", "Hmm, not sure.", "Let me try again."] as const;

/** Doubt after doubt with true and repeated steps between them, to no conclusion. */
function ramble(random: Random, steps: readonly string[]): string[] {
  const lines = ["Hmm, let me think."];
  const rounds = random.integer(2, 4);
  for (let i = 0; i < rounds; i++) {
    if (random.chance(0.6)) lines.push(steps[Math.min(i, steps.length - 1)] as string);
    lines.push(random.pick(DOUBTS));
  }
  return [...lines, "I give up."];
}

const close = (thoughts: readonly string[], boxed: string): string =>
  `${thoughts.join("\n")}\n</think>\n\\boxed{${boxed}}`;

function drawStyle(random: Random, level: Level): Style {
  let rest = random.next();
  for (const style of ["careful", "hasty", "rambling", "unclosed"] as const) {
    rest -= MIX[level][style];
    if (rest < 0) return style;
  }
  return "rash";
}

/** Every word an answer may hold, for the tokenizer. */
export const ANSWER_WORDS: readonly string[] = [
  "\\boxed{",
  ...[...RASH, ...HASTY, ...DOUBTS, "Hmm, let me think.", "I give up."].flatMap(
    (text) => text.match(/ ?\p{L}+/gu) ?? [],
  ),
];
