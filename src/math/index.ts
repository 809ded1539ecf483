/**
 * Answers: extract, parse, compare. Pure TypeScript without dependencies, for Node and the browser.
 * First version: boxed answers, integers, decimals and fractions.
 */

type Rational = { numerator: bigint; denominator: bigint };

/** The content of the last `\boxed{…}` of a text (nested braces), or undefined. */
export function extract(text: string): string | undefined {
  const start = text.lastIndexOf("\\boxed{");
  if (start < 0) return undefined;
  let depth = 0;
  for (let i = start + 6; i < text.length; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return text.slice(start + 7, i);
  }
  return undefined;
}

function decimal(text: string): Rational | undefined {
  const match = /^([+-]?)(\d{0,400})(?:\.(\d{0,400}))?$/.exec(text);
  if (!match || (match[2] === "" && !match[3])) return undefined;
  const fraction = match[3] ?? "";
  const digits = BigInt(match[2] + fraction);
  return { numerator: match[1] === "-" ? -digits : digits, denominator: 10n ** BigInt(fraction.length) };
}

function rational(text: string): Rational | undefined {
  const bare = text.replace(/^\$+|\$+$|\\[,!;]|\{,\}|\s/g, "").replace(/(?<=\d),(?=\d{3}(?!\d))/g, "");
  const match = /^([+-]?)\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}$/.exec(bare) ?? /^([+-]?)([^/]+)\/([^/]+)$/.exec(bare);
  if (!match) return decimal(bare);
  const top = decimal(match[2] ?? "");
  const bottom = decimal(match[3] ?? "");
  if (!top || !bottom || bottom.numerator === 0n) return undefined;
  const sign = match[1] === "-" ? -1n : 1n;
  return { numerator: sign * top.numerator * bottom.denominator, denominator: top.denominator * bottom.numerator };
}

/** Whether a gold answer can be read at all. */
export function canParse(gold: string): boolean {
  return rational(extract(gold) ?? gold) !== undefined;
}

/** Whether the answer in `prediction` (its last box) equals `gold`. Never throws. */
export function verify(gold: string, prediction: string): boolean {
  const a = rational(extract(gold) ?? gold);
  const answer = extract(prediction);
  const b = answer === undefined ? undefined : rational(answer);
  return a !== undefined && b !== undefined && a.numerator * b.denominator === b.numerator * a.denominator;
}
