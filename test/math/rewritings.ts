/**
 * How a model may write an answer, by kind of answer: spellings that say the same and changes that do not.
 * Used on own golds by rewritings.test.ts and on the benchmarks' by rewrite-benchmarks.ts.
 */
type Respell = (parts: string[]) => string | undefined;

export interface Kind {
  name: string;
  /** The parts of a gold of this kind that the spellings put together again, or undefined for other golds. */
  parts: (gold: string) => string[] | undefined;
  same: Record<string, Respell>;
  different: Record<string, Respell>;
}

const matched =
  (pattern: RegExp) =>
  (gold: string): string[] | undefined =>
    pattern.exec(gold)?.slice(1);

const thousands = (digits: string, mark: string): string => digits.replace(/\B(?=(\d{3})+(?!\d))/g, mark);
const respell =
  (pattern: RegExp, to: string): Respell =>
  ([gold]) =>
    gold!.search(pattern) < 0 ? undefined : gold!.replace(new RegExp(pattern, "g"), to);

/** Commas outside brackets split a list. */
function items(list: string): string[] {
  const found = [""];
  let depth = 0;
  for (const char of list) {
    if ("([{".includes(char)) depth++;
    if (")]}".includes(char)) depth--;
    if (char === "," && depth === 0) found.push("");
    else found[found.length - 1] += char;
  }
  return found.map((item) => item.trim());
}

const isFormula = (gold: string): boolean =>
  !/[,;!<>=]|\\(?:text|mbox|cup|le|ge|in|pm|begin)|[a-zA-Z]{5}/.test(bare(gold));
const bare = (gold: string): string => gold.replace(/\\(?:[dt]?frac|sqrt|left|right|theta|alpha|sigma|omega)/g, "");

const anything: Kind = {
  name: "any answer",
  parts: (gold) => [gold],
  same: {
    itself: ([g]) => g,
    braces: ([g]) => `{${g}}`,
    displaystyle: ([g]) => `\\displaystyle ${g}`,
    quad: ([g]) => `\\quad ${g} `,
    "full stop": ([g]) => `${g}.`,
    dollars: ([g]) => (g!.includes("$") ? undefined : `$${g}$`),
    parentheses: ([g]) => (g!.includes("$") ? undefined : `\\(${g}\\)`),
    dfrac: respell(/\\[dt]?frac/, "\\dfrac"),
    tfrac: respell(/\\[dt]?frac/, "\\tfrac"),
    "no left": respell(/\\(?:left|right)(?![a-z])/, ""),
    "thin spaces": respell(/(?<=[\w})]) ?\+ ?(?=[\w\\(])/, "\\,+\\,"),
  },
  different: {
    empty: () => "",
    other: ([g]) => (g === "188" ? undefined : "188"),
    undefined: () => "\\text{undefined}",
  },
};

const number: Kind = {
  name: "number",
  parts: matched(/^(-?)(\d+)((?:\.\d+)?)$/),
  same: {
    "comma in thousands": ([s, n, f]) => s + thousands(n!, ",") + f,
    "braced comma": ([s, n, f]) => s + thousands(n!, "{,}") + f,
    "thin space": ([s, n, f]) => s + thousands(n!, "\\,") + f,
    "negative space": ([s, n, f]) => s + thousands(n!, ",\\!") + f,
    "zeros behind": ([s, n, f]) => `${s}${n}${f === "" ? ".0" : `${f}0`}`,
    "zero in front": ([s, n, f]) => `${s}0${n}${f}`,
    text: ([s, n, f]) => `\\text{${s}${n}${f}}`,
    bold: ([s, n, f]) => `\\mathbf{${s}${n}${f}}`,
    colour: ([s, n, f]) => `{\\color{red} ${s}${n}${f}}`,
    scientific: (p) => scientific(p, " \\times 10^{", "}"),
    "scientific with a dot": (p) => scientific(p, " \\cdot 10^{", "}"),
    "scientific with e": (p) => scientific(p, "e", ""),
    "scientific with a unit": (p) => scientific(p, " \\times 10^{", "} \\mathrm{~C}"),
    unit: ([s, n, f]) => `${s}${n}${f} \\text{ cm}^2`,
    "upright unit": ([s, n, f]) => `${s}${n}${f} \\mathrm{~m/s}`,
    "old unit": ([s, n, f]) => `${s}${n}${f}\\,{\\rm cm}`,
    "unit in words": ([s, n, f]) => `${s}${n}${f} \\text{ square units}`,
    "bare unit": ([s, n, f]) => `${s}${n}${f} hours`,
    degrees: ([s, n, f]) => `${s}${n}${f}^\\circ`,
    "degree command": ([s, n, f]) => `${s}${n}${f}\\degree`,
    "degree sign": ([s, n, f]) => `${s}${n}${f}°`,
    "degrees in words": ([s, n, f]) => `${s}${n}${f} \\text{ degrees}`,
    money: ([s, n, f]) => (s === "-" ? undefined : `\\$${thousands(n!, ",")}${f}`),
    "money in words": ([s, n, f]) => `${s}${n}${f} \\text{ dollars}`,
    assigned: ([s, n, f]) => `x = ${s}${n}${f}`,
    "assigned in words": ([s, n, f]) => (Number(n! + f) === 0 ? undefined : `\\text{Area} = ${s}${n}${f}`),
    approximate: ([s, n, f]) => `x \\approx ${s}${n}${f}`,
    "as a sum": ([s, n, f]) => (f === "" ? `${BigInt(s! + n!) - 7n} + 7` : undefined),
    "end of a chain": ([s, n, f]) => (f === "" ? `m + n = ${BigInt(s! + n!) - 7n} + 7 = ${s}${n}` : undefined),
  },
  different: {
    "last digit": ([s, n, f]) => `${s}${(n! + f).replace(/\d$/, (digit) => `${(Number(digit) + 1) % 10}`)}`,
    sign: ([s, n, f]) => (Number(n! + f) === 0 ? undefined : `${s === "-" ? "" : "-"}${n}${f}`),
    scale: ([s, n, f]) => (Number(n! + f) === 0 ? undefined : `10 \\cdot (${s}${n}${f})`),
    half: ([s, n, f]) => (f === "" ? `${s}${n}.5` : undefined),
    percent: ([s, n, f]) => (Number(n! + f) === 0 ? undefined : `${s}${n}${f}\\%`),
    pair: ([s, n, f]) => `(${s}${n}${f}, 1)`,
    element: ([s, n, f]) => `${s}${n}${f}, 99.5`,
  },
};

function scientific([sign, whole, places]: string[], times: string, end: string): string | undefined {
  const value = Number(`${whole}${places}`);
  if (value === 0 || whole!.length + places!.length > 15) return undefined;
  const [digits, exponent] = value.toExponential().split("e");
  return `${sign}${digits}${times}${Number(exponent)}${end}`;
}

const mixed: Respell = ([s, p, q]) =>
  Number(p) > Number(q) ? `${s}${Math.floor(Number(p) / Number(q))}\\frac{${Number(p) % Number(q)}}{${q}}` : undefined;

const fraction: Kind = {
  name: "fraction",
  parts: matched(/^(-?)\\[dt]?frac\{(\d{1,9})\}\{(\d{1,9})\}$/),
  same: {
    slash: ([s, p, q]) => `${s}${p}/${q}`,
    over: ([s, p, q]) => `${s}{${p} \\over ${q}}`,
    div: ([s, p, q]) => `${s}${p} \\div ${q}`,
    product: ([s, p, q]) => `${s}\\frac{1}{${q}} \\cdot ${p}`,
    "negative power": ([s, p, q]) => `${s}${p} \\cdot ${q}^{-1}`,
    "without braces": ([s, p, q]) => (p!.length + q!.length === 2 ? `${s}\\frac${p}${q}` : `${s}\\frac ${p} {${q}}`),
    unreduced: ([s, p, q]) => `${s}\\frac{${3 * Number(p)}}{${3 * Number(q)}}`,
    "sign inside": ([s, p, q]) => (s === "-" ? `\\frac{-${p}}{${q}}` : `-\\frac{-${p}}{${q}}`),
    "six places": ([s, p, q]) => s + (Number(p) / Number(q)).toFixed(6),
    "ten places": ([s, p, q]) => s + (Number(p) / Number(q)).toFixed(10),
    mixed,
    unit: ([s, p, q]) => `${s}\\frac{${p}}{${q}} \\text{ hours}`,
    chain: ([s, p, q]) => `x = ${s}\\frac{${2 * Number(p)}}{${2 * Number(q)}} = ${s}\\frac{${p}}{${q}}`,
  },
  different: {
    numerator: ([s, p, q]) => `${s}\\frac{${Number(p) + 1}}{${q}}`,
    denominator: ([s, p, q]) => `${s}\\frac{${p}}{${Number(q) + 1}}`,
    reciprocal: ([s, p, q]) => (p === q ? undefined : `${s}\\frac{${q}}{${p}}`),
    sign: ([s, p, q]) => `${s === "-" ? "" : "-"}\\frac{${p}}{${q}}`,
    "two places": ([s, p, q]) => {
      const rounded = (Number(p) / Number(q)).toFixed(2);
      return Math.abs(Number(rounded) - Number(p) / Number(q)) < 1e-5 ? undefined : s + rounded;
    },
  },
};

const formula: Kind = {
  name: "formula",
  parts: (gold) => (isFormula(gold) && !/^\d+_/.test(gold) && /[a-zA-Z^\\]/.test(gold) ? [gold] : undefined),
  same: {
    brackets: ([g]) => `\\left(${g}\\right)`,
    "zero added": ([g]) => `${g} + 0`,
    "twice negated": ([g]) => `-(-(${g}))`,
    "doubled and halved": ([g]) => `\\frac{2(${g})}{2}`,
    "roots as powers": respell(/\\sqrt\{([^{}]*)\}/, "{($1)}^{\\frac{1}{2}}"),
    "root sign": respell(/\\sqrt\{(\d+)\}/, "√$1"),
    "short roots": respell(/\\sqrt\{(\d)\}/, "\\sqrt$1"),
    "π as a character": respell(/\\pi(?![a-z])/, "π"),
    "upright i": respell(/(?<=\d)i(?![a-z])/, "\\mathrm{i}"),
    "upright functions": respell(/\\(sin|cos|tan|log|ln)(?![a-z])(?! ?\^)/, "\\operatorname{$1}"),
    "braced powers": respell(/\^(\d)/, "^{$1}"),
    "square as a character": respell(/\^(?:\{2\}|2(?!\d))/, "²"),
    "sign of Unicode": respell(/-/, "−"),
  },
  different: {
    plus: ([g]) => `${g} + 1`,
    twice: ([g]) => `2(${g})`,
    negated: ([g]) => `-(${g})`,
    "a power more": ([g]) =>
      /\^\{?\d\}?(?!\d)/.test(g!) ? g!.replace(/\^\{?(\d)\}?(?!\d)/, (_, k) => `^{${Number(k) + 1}}`) : undefined,
  },
};

const list: Kind = {
  name: "list",
  parts: (gold) => {
    const found = items(gold);
    const plain = found.every((item) => item !== "" && isFormula(item.replace(/^\(.*\)$/, "0")));
    return found.length > 1 && plain && !/^\d{3}$/.test(found[1]!) ? found : undefined;
  },
  same: {
    set: (p) => `\\{${p.join(", ")}\\}`,
    reversed: (p) => [...p].reverse().join(", "),
    and: (p) => `${p.slice(0, -1).join(", ")} \\text{ and } ${p.at(-1)}`,
    or: (p) => `${p.slice(0, -1).join(", ")} \\text{ or } ${p.at(-1)}`,
    "bare or": (p) => `${p.slice(0, -1).join(", ")} or ${p.at(-1)}`,
    semicolons: (p) => p.join("; "),
    assigned: (p) => p.map((item) => `x = ${item}`).join(", "),
    numbered: (p) => p.map((item, i) => `x_{${i + 1}} = ${item}`).join(" \\text{ and } "),
    member: (p) => `x \\in \\{${p.join(", ")}\\}`,
    "named set": (p) => `S = \\{${p.join(", ")}\\}`,
    boxes: (p) => p.join("} and \\boxed{"),
    "dollars each": (p) => p.map((item) => `$${item}$`).join(", "),
  },
  different: {
    missing: (p) => (new Set(p).size === p.length ? p.slice(1).join(", ") : undefined),
    extra: (p) => [...p, "99.5"].join(", "),
    element: (p) => [...p.slice(0, -1), p.at(-1)!.startsWith("(") ? "(0, 77)" : `${p.at(-1)} + 1.5`].join(", "),
  },
};

const tuple: Kind = {
  name: "tuple",
  parts: (gold) => {
    const [inner] = matched(/^\((.*)\)$/s)(gold.replace(/\\(?:left|right)(?![a-z])/g, "").trim()) ?? [];
    if (inner === undefined || /infty|\)[^(]*\(/.test(inner)) return undefined;
    const found = items(inner);
    return found.length > 1 && found.every(isFormula) ? found : undefined;
  },
  same: {
    spaces: (p) => `( ${p.join(" , ")} )`,
    "left right": (p) => `\\left(${p.join(",")}\\right)`,
    angles: (p) => `\\langle ${p.join(", ")} \\rangle`,
    named: (p) => (p.length === 2 ? `P(${p.join(", ")})` : undefined),
    assigned: (p) => (p.length < 4 ? p.map((item, i) => `${"xyz"[i]} = ${item}`).join(", ") : undefined),
    "assigned together": (p) =>
      p.length < 4 ? `(${items("x,y,z").slice(0, p.length)}) = (${p.join(", ")})` : undefined,
  },
  different: {
    swapped: (p) => (p[0] === p[1] ? undefined : `(${[p[1], p[0], ...p.slice(2)].join(", ")})`),
    component: (p) => `(${[...p.slice(0, -1), `${p.at(-1)} + 1`].join(", ")})`,
    shorter: (p) => (p.length > 2 ? `(${p.slice(1).join(", ")})` : undefined),
  },
};

const above = (open: string): string => (open === "[" ? "\\ge" : ">");
const below = (close: string): string => (close === "]" ? "\\le" : "<");

const interval: Kind = {
  name: "interval",
  parts: (gold) => {
    const found = matched(/^([[(])([^,()[\]]*),([^,()[\]]*)([\])])$/)(gold.replace(/\\(?:left|right)(?![a-z])/g, ""));
    return found && (found[0] === "[" || found[3] === "]" || found.join().includes("infty")) ? found : undefined;
  },
  same: {
    spaces: ([o, a, b, c]) => `${o} ${a} , ${b} ${c}`,
    "left right": ([o, a, b, c]) => `\\left${o}${a}, ${b}\\right${c}`,
    member: ([o, a, b, c]) => `x \\in ${o}${a}, ${b}${c}`,
    named: ([o, a, b, c]) => `x = ${o}${a}, ${b}${c}`,
    inequality: (p) => inequality(p),
    builder: (p) => `\\{x \\mid ${inequality(p)}\\}`,
  },
  different: {
    "other end": ([o, a, b, c]) => (b!.includes("infty") ? `${o}${a} + 1, ${b}${c}` : `${o}${a}, ${b} + 1${c}`),
    "open or closed": ([o, a, b, c]) =>
      a!.includes("infty")
        ? b!.includes("infty")
          ? undefined
          : `${o}${a}, ${b}${c === ")" ? "]" : ")"}`
        : `${o === "(" ? "[" : "("}${a}, ${b}${c}`,
    ends: ([, a, b]) => `${a}, ${b}`,
  },
};

function inequality([open, a, b, close]: string[]): string {
  if (a!.includes("infty")) return b!.includes("infty") ? "x \\in \\mathbb{R}" : `x ${below(close!)} ${b}`;
  return b!.includes("infty")
    ? `x ${above(open!)} ${a}`
    : `${b} ${above(close === "]" ? "[" : "(")} x ${above(open!)} ${a}`;
}

const equation: Kind = {
  name: "equation",
  parts: (gold) => {
    const sides = gold.split("=").map((side) => side.trim());
    const formulas = sides.every((side) => side !== "" && isFormula(side) && !/\\sum|\.$|\{[^}]*$/.test(side));
    return sides.length === 2 && formulas ? sides : undefined;
  },
  same: {
    swapped: ([l, r]) => `${r} = ${l}`,
    moved: ([l, r]) => `${l} - (${r}) = 0`,
    doubled: ([l, r]) => `2(${l}) = 2(${r})`,
    negated: ([l, r]) => `-(${l}) = -(${r})`,
    aligned: ([l, r]) => `${l} &= ${r}`,
    "right side": ([l, r]) => (/^[a-zA-Z](?:\([a-z]\))?$/.test(l!) ? r : undefined),
  },
  different: {
    "right side changed": ([l, r]) => `${l} = ${r} + 1`,
    "variable added": ([l, r]) => `${l} + Z = ${r}`,
    "left side": ([l, r]) => (l!.toLowerCase() === r!.toLowerCase() ? undefined : l),
  },
};

const base: Kind = {
  name: "numeral with a base",
  parts: matched(/^(\d+)_\{?(\d+)\}?$/),
  same: {
    braces: ([n, b]) => `${n}_{${b}}`,
    brackets: ([n, b]) => `${n}_{(${b})}`,
    words: ([n, b]) => `${n} \\text{ base } ${b}`,
    "words in brackets": ([n, b]) => `${n} \\text{ (base ${b})}`,
    digits: ([n]) => n,
  },
  different: {
    digit: ([n, b]) => `${n}1_{${b}}`,
    base: ([n, b]) => (n!.length > 1 ? `${n}_{${Number(b) + 1}}` : undefined),
    "base in words": ([n, b]) => (n!.length > 1 ? `${n} \\text{ (base ${Number(b) + 1})}` : undefined),
  },
};

const matrix: Kind = {
  name: "matrix",
  parts: matched(/^\\begin\{pmatrix\}(.*)\\end\{pmatrix\}$/s),
  same: {
    brackets: ([m]) => `\\begin{bmatrix}${m}\\end{bmatrix}`,
    array: ([m]) => `\\left(\\begin{array}{cc}${m}\\end{array}\\right)`,
    assigned: ([m]) => `A = \\begin{pmatrix}${m}\\end{pmatrix}`,
    "space between rows": ([m]) => `\\begin{pmatrix}${m!.replaceAll("\\\\", "\\\\[1ex]")}\\end{pmatrix}`,
  },
  different: {
    entry: ([m]) => `\\begin{pmatrix}${m!.replace(/\d+(?!.*\d)/s, (d) => `${Number(d) + 1}`)}\\end{pmatrix}`,
    determinant: ([m]) => `\\begin{vmatrix}${m}\\end{vmatrix}`,
  },
};

const choice: Kind = {
  name: "choice",
  parts: matched(/^\\text\{\(([A-F])\)\}$/),
  same: {
    letter: ([c]) => c,
    brackets: ([c]) => `(${c})`,
    bold: ([c]) => `\\textbf{(${c})}`,
    "full stop": ([c]) => `${c}.`,
    "with its text": ([c]) => `\\textbf{(${c})}\\ 12`,
    option: ([c]) => `\\text{Option ${c}}`,
  },
  different: { other: ([c]) => (c === "A" ? "B" : "A"), "not it": ([c]) => `\\text{not ${c}}` },
};

export const kinds: Kind[] = [
  ...[anything, number, fraction, formula, list, tuple, interval, equation, base, matrix, choice],
];

export interface Rewriting {
  kind: string;
  name: string;
  answer: string;
  equal: boolean;
}

/** Every rewriting of a gold that its kinds know. */
export function* rewritings(gold: string): Generator<Rewriting> {
  for (const kind of kinds) {
    const parts = kind.parts(gold);
    if (!parts) continue;
    for (const equal of [true, false]) {
      for (const [name, write] of Object.entries(equal ? kind.same : kind.different)) {
        const answer = write(parts);
        if (answer !== undefined) yield { kind: kind.name, name, answer, equal };
      }
    }
  }
}
