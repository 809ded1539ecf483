import type { Logged } from "./log.js";

/** How a call ended: the scores of its completions, one of a call about one completion. */
export type Outcome = { ok: true; scores: (number | null)[]; logged: Logged } | { ok: false; message: string };

/** What a function returned, checked. @param size completions it was to score in one call; null: it was about one */
export function outcomeOf(value: unknown, logged: Logged, size: number | null): Outcome {
  if (size === null)
    return isScore(value) ? { ok: true, scores: [value], logged } : { ok: false, message: wrong(value) };
  if (!Array.isArray(value))
    return { ok: false, message: `it returned ${show(value)}; return one score per completion` };
  if (value.length !== size)
    return { ok: false, message: `it returned ${value.length} scores for ${size} completions; return one each` };
  const bad = value.findIndex((score) => !isScore(score));
  if (bad === -1) return { ok: true, scores: value, logged };
  return {
    ok: false,
    message: `its score of completion ${bad + 1} of ${size} is ${show(value[bad])}; give a finite number, or null to skip`,
  };
}

const isScore = (value: unknown): value is number | null =>
  value === null || (typeof value === "number" && Number.isFinite(value));

function wrong(value: unknown): string {
  if (Array.isArray(value))
    return "it returned a list; return a number, or null to skip. A reward over the whole batch is marked as one: NAME.batch = true";
  return `it returned ${show(value)}; return ${typeof value === "number" ? "a finite number" : "a number"}, or null to skip`;
}

const show = (value: unknown): string => (typeof value === "object" && value !== null ? "an object" : String(value));
