/** Equality of two expressions: exact, then in finite fields, then numerically with error bounds. */
import { children, contains, isCall, map, type Node, sameStructure, sym } from "../ast.js";
import { type Ball, size } from "../value/ball.js";
import { sameConstant } from "../value/constants.js";
import { exactValue } from "../value/exact.js";
import { fraction, hash } from "../value/hash.js";
import { fields, modularValue } from "../value/modular.js";
import { isComplex, numericValue, Point, variables } from "../value/numeric.js";
import { countingVariables, operators } from "../value/operators.js";
import { same } from "../value/rational.js";
import { comparePrimitives } from "./calculus.js";
import { compareDecimal, decimalOf } from "./decimals.js";
import { type Context, different, equal, isEqual, undecided, type Verdict } from "./verdict.js";

/** Equality of expressions, also when they differ only in conventions: base of log, degrees, letter case. */
export function compareExpressions(a: Node, b: Node, context: Context): Verdict {
  const primitive = comparePrimitives(a, b, context);
  if (primitive) return primitive;
  // Degrees are a unit of the answer: dropped on both sides, converted inside functions.
  if (contains(a, "deg")) a = dropDegrees(a);
  if (contains(b, "deg")) b = dropDegrees(b);
  const first = compareValues(a, b, context);
  if (isEqual(first)) return first;
  for (const [rule, left, right] of conventions(a, b, context)) {
    if (isEqual(compareValues(left, right, context))) return equal(rule);
  }
  return first;
}

function* conventions(a: Node, b: Node, context: Context): Generator<[string, Node, Node]> {
  if (contains(a, "deg") !== contains(b, "deg")) yield ["degrees", bareAngles(a), bareAngles(b)];
  if (standsForIrrational(a, b, context) || standsForIrrational(b, a, context))
    yield ["rounded decimals", roundDecimals(a), roundDecimals(b)];
  if (contains(a, "log?") || contains(b, "log?")) {
    yield ["log to base 10", logBase(a, 10), logBase(b, 10)];
    if (contains(a, "log?") && contains(b, "log?")) {
      yield ["log to base 10", logBase(a, 10), logBase(b)];
      yield ["log to base 10", logBase(a), logBase(b, 10)];
    }
  }
  const folded = context.options.letterCase === "fold" ? foldCase(a, b) : undefined;
  if (folded) yield ["letter case", logBase(folded[0]), logBase(folded[1])];
}

/** A long decimal in an expression stands for an irrational number: not for one that makes the other side rational. */
const standsForIrrational = (rounded: Node, other: Node, { options, budget }: Context): boolean =>
  Number.isFinite(options.decimals) &&
  !decimalOf(rounded) &&
  !decimalOf(other) &&
  contains(rounded, roundedPlaces) &&
  !exactValue(other, budget);

const isPi = (node: Node): boolean => node.kind === "sym" && node.name === "pi";

/** A decimal inside an expression that has enough digits to stand for an irrational number. */
const roundedPlaces = (node: Node): boolean => node.kind === "num" && (node.places ?? 0) >= 8;
const roundDecimals = (node: Node): Node =>
  map(node, (inner) =>
    inner.kind === "num" && roundedPlaces(inner) ? { kind: "call", op: "rounded", args: [inner] } : inner,
  );

/** `\cos 15` where the other side writes `\cos 15^\circ`. */
const bareAngles = (node: Node): Node =>
  map(node, (inner) => (isCall(inner, "deg") && !contains(inner, isPi) ? inner.args[0]! : inner));

/** Takes the degree signs off an angle (not those inside a function: cos 15° stays; nor those of π/2°). */
function dropDegrees(node: Node): Node {
  if (isCall(node, "deg")) return contains(node, isPi) ? node : node.args[0]!;
  if (node.kind !== "call" || !["add", "mul", "neg", "div", "pm"].includes(node.op)) return node;
  return { ...node, args: node.args.map(dropDegrees) };
}

/** `\log` without a base: natural unless a base is given. */
function logBase(node: Node, base?: number): Node {
  return map(node, (inner) => {
    if (!isCall(inner, "log?")) return inner;
    const argument = inner.args[0]!;
    return base === undefined
      ? { kind: "call", op: "ln", args: [argument] }
      : { kind: "call", op: "log", args: [{ kind: "num", value: { n: BigInt(base), d: 1n } }, argument] };
  });
}

/**
 * Variables that differ in letter case only, as in `C` for the constant `c`: both sides in lower case, if each side
 * keeps as many variables as it had and the folding makes their variables the same.
 */
function foldCase(a: Node, b: Node): [Node, Node] | undefined {
  const [left, right] = [variables(a), variables(b)];
  if (left.size === 0 || left.size !== right.size) return undefined;
  if ([...left].every((name) => right.has(name))) return undefined;
  const fold = (names: Set<string>): Set<string> => new Set([...names].map((name) => name.toLowerCase()));
  const [lowLeft, lowRight] = [fold(left), fold(right)];
  if (lowLeft.size !== left.size || lowRight.size !== right.size) return undefined;
  if ([...lowLeft].some((name) => !lowRight.has(name))) return undefined;
  const lower = (node: Node): Node =>
    map(node, (inner) =>
      inner.kind === "sym" && variables(inner).size > 0 ? sym(`${inner.name.toLowerCase()} `) : inner,
    );
  return [lower(a), lower(b)];
}

function compareValues(a: Node, b: Node, context: Context): Verdict {
  const { budget } = context;
  budget.spend();
  if (sameStructure(a, b)) return equal("identical");
  const baseVerdict = compareBases(a, b);
  if (baseVerdict) return baseVerdict;
  const [x, y] = [exactValue(a, budget), exactValue(b, budget)];
  if (x && y && same(x, y)) return equal("exact number");
  const decimal = compareDecimals(a, b, context);
  if (decimal) return decimal;
  if (x && y) return different("exact number");
  if (hasInfinity(a) || hasInfinity(b)) return compareInfinities(a, b);
  return compareModular(a, b, context) ?? compareNumeric(logBase(a), logBase(b), context);
}

/**
 * The base is notation the question asks for: an answer to `385_9` may leave it out, `385`, but is not the decimal 320. An
 * answer with a base the gold does not have is another number. Numerals of two bases are compared by value.
 */
function compareBases(a: Node, b: Node): Verdict | undefined {
  const [based, bare] = a.kind === "num" && a.base !== undefined ? [a, b] : [b, a];
  if (based.kind !== "num" || based.base === undefined) return undefined;
  if (bare.kind !== "num") return different("base");
  if (bare.base !== undefined) return undefined;
  if (based.base === 10) return undefined;
  if (based === b) return different("base");
  const digits = based.digits!.replace(/^0+(?=\d)/, "");
  return bare.value.d === 1n && `${bare.value.n}` === digits ? equal("base") : different("base");
}

/** A rounded decimal against an exact constant, if one side is a decimal and the rule allows it. */
function compareDecimals(a: Node, b: Node, context: Context): Verdict | undefined {
  const [left, right] = [decimalOf(a), decimalOf(b)];
  if (!left && !right) return undefined;
  const sides: [typeof left, Node][] = [
    [left, b],
    [right, a],
  ];
  for (const [decimal, other] of sides) {
    if (!decimal || variables(other).size > 0) continue;
    const verdict = compareDecimal(decimal, logBase(other), context);
    if (isEqual(verdict)) return verdict;
  }
  const constant = variables(a).size === 0 && variables(b).size === 0;
  return constant && (left || exactValue(a, context.budget)) && (right || exactValue(b, context.budget))
    ? different("exact number")
    : undefined;
}

/** Infinite on its own, not as the bound of a sum or an integral. */
const hasInfinity = (node: Node): boolean =>
  (node.kind === "sym" && node.name === "oo") ||
  (!(node.kind === "call" && operators.has(node.op)) && children(node).some(hasInfinity));

function compareInfinities(a: Node, b: Node): Verdict {
  const sign = (node: Node): number => {
    if (node.kind === "sym" && node.name === "oo") return 1;
    if (isCall(node, "neg")) return -sign(node.args[0]!);
    // ∞ plus something finite
    if (isCall(node, "add"))
      return node.args.map(sign).reduce((a, b) => (a === 0 ? b : b === 0 || a === b ? a : Number.NaN));
    return 0;
  };
  const [x, y] = [sign(a), sign(b)];
  return x !== 0 && x === y ? equal("infinity") : different("infinity");
}

function compareModular(a: Node, b: Node, context: Context): Verdict | undefined {
  for (const field of fields) {
    const x = modularValue(a, field, context.budget);
    if (x === undefined) return undefined;
    const y = modularValue(b, field, context.budget);
    if (y === undefined) return undefined;
    if (x !== y) return different("rational function");
  }
  return equal("rational function");
}

const attempts = 18;
const enough = 5;

/** Made of pieces: two may agree on one of them and not on another, so they are looked at far out too. */
const pieced = new Set(["max", "min", "floor", "ceil", "sgn", "abs", "sqrt", "root"]);
const isPieced = (node: Node): boolean => node.kind === "call" && pieced.has(node.op);

/** Agreement at several points where both sides are real (or, failing those, complex). */
function compareNumeric(a: Node, b: Node, context: Context): Verdict {
  const names = [...new Set([...variables(a), ...variables(b)])];
  const inPieces = names.length > 0 && (contains(a, isPieced) || contains(b, isPieced));
  const counting = countingVariables(b, countingVariables(a));
  const wanted = (counting.size > 0 ? 2 * enough : enough) + (inPieces ? farRanges.length : 0);
  const complex: [Ball, Ball][] = [];
  let agreed = 0;
  let vague = 0;
  for (let attempt = 0; attempt < (names.length === 0 ? 1 : attempts) && agreed < wanted; attempt++) {
    const range = inPieces && attempt < farRanges.length ? farRanges[attempt]! : ranges[attempt % ranges.length]!;
    const point = pointIn(range, names, attempt, counting);
    const x = numericValue(a, point, context.budget);
    const y = x && numericValue(b, point, context.budget);
    if (!x || !y) continue;
    const agreement = agree(x, y);
    if (agreement === undefined) vague++;
    else if (names.length > 0 && (point.leftReals || isComplex(x) || isComplex(y))) complex.push([x, y]);
    else if (!agreement && point.opaque) vague++;
    else if (!agreement) return different("numeric value");
    else agreed++;
  }
  if (names.length === 0 && (agreed > 0 || vague > 0)) {
    // Double precision has 16 digits: what agrees in them is looked at in 75.
    const same = sameConstant(a, b, context.budget);
    if (same !== undefined) return same ? equal("numeric value") : different("numeric value");
  }
  if (agreed > 0) return equal("numeric value");
  if (vague > 0 || complex.length === 0) return undecided("no numeric value");
  return complex.every(([x, y]) => agree(x, y)) ? equal("complex value") : different("complex value");
}

/** Whether two balls meet; undefined when they are too wide to tell. */
export function agree(x: Ball, y: Ball): boolean | undefined {
  const distance = Math.hypot(x.re - y.re, x.im - y.im);
  const bound = 2 * (x.err + y.err);
  if (distance > bound) return false;
  // An error of 1e-3 hides a difference of one in a large value.
  return bound > 1e-3 || (bound > 1e-7 * Math.max(size(x), size(y)) && bound > 1e-9) ? undefined : true;
}

/** A fixed random point: by turns in (0, 1), below 0, above 1, of both signs, far out; what counts is an integer. */
export const samplePoint = (names: readonly string[], attempt: number): Point =>
  pointIn(ranges[attempt % ranges.length]!, names, attempt);

function pointIn(
  [low, high]: readonly [number, number],
  names: readonly string[],
  attempt: number,
  counting?: ReadonlySet<string>,
): Point {
  const value = (name: string): number =>
    counting?.has(name) ? attempt + 1 + (hash(name) % 3) : low + (high - low) * fraction(name, attempt + 1);
  return new Point(names.map((name) => [name, value(name)]));
}

const ranges: readonly (readonly [number, number])[] = [
  [0.1, 0.9],
  [-0.9, -0.1],
  [1.2, 4.7],
  [-4.1, -1.3],
  [-2.9, 2.9],
  [5.3, 11],
];

const farRanges: readonly (readonly [number, number])[] = [
  [20, 200],
  [-200, -20],
  [1e4, 1e7],
  [-1e7, -1e4],
];
