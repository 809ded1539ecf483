/** Multiple choice: letters with the texts they stand for, several letters in one answer. */

/** The letter of a multiple choice against the letter with its text: `B` against `(B) 12` or `\text{B. twelve}`. */
export function isChoice(gold: string, parts: string[]): boolean {
  if (!/^[a-j]$/.test(gold) || parts.length !== 1) return false;
  const letter = chosen.exec(parts[0]!);
  if (!letter || takenBack.test(parts[0]!.slice(letter[0].length))) return false;
  return (letter[1] ?? letter[2] ?? letter[3])?.toLowerCase() === gold;
}

const chosen =
  /^\s*(?:\\[a-z]+\s*\{\s*)?(?:(?:option|choice|answer)[\s}:]*\(?([A-J])\b|\(([A-J])\)|([A-J])(?:\)|[.:]\s))/i;

/** Behind the letter: another letter, or that this one is wrong. */
const takenBack =
  /\([A-J]\)|\b[A-J](?:\)|[.:](?:[\s}]|$))|\b(?:or|and|nor|option|choice)[\s}{(]+[A-J]\b(?!')|^[\s})]*(?:is|was)\s+(?:not|wrong|incorrect|false)\b/;

/** Several choices with or without something between the letters: `ABD` against `A, B, D`. */
export function sameChoices(gold: string[], answer: string[]): boolean {
  const [a, b] = [choices(gold), choices(answer)];
  return a !== undefined && a === b && gold.join(",").length !== answer.join(",").length;
}

function choices(parts: string[]): string | undefined {
  const source = parts.join(",");
  if (source.length > 60) return undefined;
  const letters = source.replace(/\\(?:text|textbf|mathrm|left|right)(?![a-z])|\band\b|[{}()\s,;\\]/g, "");
  return /^[A-J]{2,6}$/.test(letters) && [...letters].every((letter, i) => i === 0 || letter > letters[i - 1]!)
    ? letters
    : undefined;
}
