import { defaultLimits, type Limits } from "./limits.js";

/** How answers are found and compared. */
export interface Options {
  /**
   * Where an answer may stand. "anchored": in a box, or as a formula behind "the answer is" and the like.
   * "anywhere": also in any formula or plain number, the last one counting.
   */
  extraction: "anchored" | "anywhere";
  /** Which boxes count: only `\boxed{`, or also `\fbox{`, `\framebox{` and `\boxed {`. */
  boxes: "strict" | "all";
  /** Boxes side by side ("`\boxed{1}` and `\boxed{2}`") are one answer with several elements, or the last one counts. */
  manyBoxes: "set" | "last";
  /**
   * A decimal matches an exact value when it is that value rounded to its own digits, and gives at least this many
   * digits after the point. Infinity: decimals are exact numbers.
   */
  decimals: number;
  /** Significant digits below which a rounded decimal says too little: 0.000001 is not 1/700000. */
  significant: number;
  /** "hold": a chain of equations must hold along its way (`2 + 2 = 5` does not say 5). "end": outside boxes its last side counts. */
  chains: "hold" | "end";
  /** A unit or currency on one side only is ignored; on both sides they must agree. "ignore": they need not. */
  units: "agree" | "ignore";
  /** "fold": a letter's case may differ where that confuses no variables (`C` for the constant `c`). "keep": it may not. */
  letterCase: "fold" | "keep";
  /**
   * "literal": words match the same words only. "meaning": "no solution" is ∅, "all real numbers" is ℝ, and
   * `\text{The answer is } 5` says 5.
   */
  words: "literal" | "meaning";
  /**
   * "evaluated": a sum, integral, limit or derivative that the gold does not have is no answer, as it may restate the
   * question. "any": it counts as its value.
   */
  operators: "evaluated" | "any";
  /** "shape": a column is no tuple, a matrix no nested list. "entries": they are when their entries agree. */
  vectors: "shape" | "entries";
  limits: Limits;
}

/** Boxed or anchored answers only, as in the reward of Open-RS. */
export const reward: Options = {
  extraction: "anchored",
  boxes: "strict",
  manyBoxes: "set",
  decimals: 6,
  significant: 3,
  chains: "hold",
  units: "agree",
  letterCase: "fold",
  words: "literal",
  operators: "evaluated",
  vectors: "shape",
  limits: defaultLimits,
};

/** Plain expressions too, as lighteval's metric: for scoring models that were not told to box. */
export const evaluation: Options = {
  ...reward,
  extraction: "anywhere",
  boxes: "all",
  chains: "end",
  words: "meaning",
  operators: "any",
  vectors: "entries",
};

export const presets = { reward, evaluation } as const;
export type PresetName = keyof typeof presets;

/** A preset by name, or the reward preset with some options changed. */
export type OptionsInput = PresetName | Partial<Options>;

export function resolveOptions(input: OptionsInput = "reward"): Options {
  return typeof input === "string" ? presets[input] : { ...reward, ...input };
}
