/** Equality of whole answers: which rule applies to which kinds. */
import {
  type Call,
  call,
  type Group,
  group,
  isCall,
  type Matrix,
  map,
  type Node,
  nodeCount,
  type Relation,
  render,
  sameStructure,
  sym,
} from "../ast.js";
import { plainText } from "../parse/reading.js";
import { isInfinite, numericValue, Point, variables } from "../value/numeric.js";
import { brokenChain, saysValue } from "./chains.js";
import { compareExpressions } from "./expressions.js";
import { compareFamilies } from "./families.js";
import { compareRealSets, isRealSet, realSet } from "./intervals.js";
import { asMatrix, components } from "./matrices.js";
import { isName, isSumOfLetters } from "./names.js";
import { comparePieces } from "./piecewise.js";
import { matchUnits } from "./quantities.js";
import { assignedValue, compareRelations, dropApproximations, isEquation } from "./relations.js";
import { simplify } from "./simplify.js";
import { asRatio, compareTimes, isTime } from "./times.js";
import { type Context, different, equal, every, isEqual, type Verdict } from "./verdict.js";

/** Whether `prediction` says the same as `gold`. */
export function compareAnswers(gold: Node, prediction: Node, context: Context): Verdict {
  // What follows walks through both a few times.
  context.budget.spend(nodeCount(gold) + nodeCount(prediction));
  const a = normalize(gold);
  const b = normalize(prediction);
  if (sameStructure(a, b)) return equal("identical");
  if (isTime(b) && !isTime(a)) return compareAnswers(a, asRatio(b), context);
  if (a.kind === "text" || b.kind === "text") return compareTexts(a, b);
  const families = compareFamilies(a, b, context);
  if (families) return families;
  if (a.kind === "quantity" || b.kind === "quantity") return compareQuantities(a, b, context);
  if (a.kind === "rel" && b.kind === "rel") {
    const broken =
      isEquation(b) && context.options.chains === "hold" ? brokenChain(b, context, compareAnswers) : undefined;
    if (broken) return broken;
    const verdict = compareRelations(a, b, context, compareAnswers);
    if (isEqual(verdict) || isEquation(a) || isEquation(b)) return verdict;
    return sameVariables(a, b) ? (compareSets(a, b, context) ?? verdict) : verdict;
  }
  const bare = isAssignedSet(a) !== isAssignedSet(b);
  if (bare && a.kind === "rel") return compareAnswers(a.args[1]!, b, context);
  if (bare && b.kind === "rel") return compareAnswers(a, b.args[1]!, context);
  if (isRealSet(a) || isRealSet(b)) {
    const verdict = compareSets(a, b, context);
    if (verdict) return verdict;
  }
  if (a.kind === "rel") return compareAssigned(a, b, context, true);
  if (b.kind === "rel") return compareAssigned(b, a, context, false);
  const pieces = comparePieces(a, b, context);
  if (pieces) return pieces;
  if (a.kind === "matrix" || b.kind === "matrix") return compareMatrices(a, b, context);
  const vector = compareVectors(a, b, context);
  if (vector && isEqual(vector)) return vector;
  if (a.kind === "group" || b.kind === "group") return compareGroups(a, b, context);
  if (a.kind === "builder" || b.kind === "builder") return compareBuilders(a, b, context);
  if (isSetOperation(a) || isSetOperation(b)) return compareUnions(a, b, context);
  if (isCall(a, "ratio") && isCall(b, "ratio")) return compareRatios(a, b, context);
  if (isTime(a)) return compareTimes(a, b);
  const units = matchUnits(a, b, true);
  return units ? compareExpressions(units.a, units.b, context) : different("units");
}

const sameVariables = (a: Relation, b: Relation): boolean => {
  const names = (relation: Relation): string =>
    [...new Set(relation.args.flatMap((part) => [...variables(part)]))].sort().join();
  return names(a) === names(b);
};

function normalize(node: Node): Node {
  const simple = simplify(node);
  if (simple.kind !== "rel") return simple;
  const exact = dropApproximations(simple);
  if (exact.kind !== "rel") return normalize(exact);
  return exact.ops.length === 1 && exact.ops[0] === "in" && isName(exact.args[0]!) ? normalize(exact.args[1]!) : exact;
}

function compareTexts(a: Node, b: Node): Verdict {
  const words = (node: Node): string =>
    plainText(node.kind === "text" ? node.text : node.kind === "sym" ? node.name : "");
  const [x, y] = [words(a), words(b)];
  return x !== "" && x === y ? equal("text") : different("text");
}

function compareQuantities(a: Node, b: Node, context: Context): Verdict {
  if (a.kind === "rel" || b.kind === "rel") {
    return a.kind === "rel" ? compareAssigned(a, b, context, true) : compareAssigned(b as Relation, a, context, false);
  }
  const units = matchUnits(a, b, context.options.units === "agree");
  return units ? compareAnswers(units.a, units.b, context) : different("units");
}

/** `0 < f(x) < 1` says of f(x) what `0 < y < 1` says of y. */
const functionsAsNames = (node: Node): Node =>
  map(node, (inner) => (isCall(inner, "apply") ? sym(render(inner)) : inner));

/** A number beside a set operation is the set that holds it: `\\{2\\}` loses its braces early. */
const asSet = (node: Node): Node =>
  node.kind === "num" || (node.kind === "call" && !isSetOperation(node)) ? group("{", "}", [node]) : node;

/** As sets of real numbers, if both are. */
function compareSets(a: Node, b: Node, context: Context): Verdict | undefined {
  const [left, right] = [isSetOperation(b) ? asSet(a) : a, isSetOperation(a) ? asSet(b) : b];
  const x = realSet(functionsAsNames(left), context);
  const y = x && realSet(functionsAsNames(right), context);
  return y && compareRealSets(x, y, context);
}

/**
 * A relation against a value: `x = 5` against 5. A gold equation must define a name, so that `7 = 11a + c` does not
 * accept `11a + c`.
 */
function compareAssigned(relation: Relation, value: Node, context: Context, relationIsGold: boolean): Verdict {
  const assigned = assignedValue(relation);
  if (!assigned) return different("equation");
  const left = relation.args[0]!;
  const asked = context.options.words === "meaning" && isSumOfLetters(left) && !isZero(assigned);
  if (!isName(left) && !asked && (relationIsGold || (isZero(assigned) && !isComputation(relation))))
    return different("equation");
  const wrong = relationIsGold ? undefined : notSaying(relation, value, context);
  if (wrong) return wrong;
  const verdict = relationIsGold ? compareAnswers(assigned, value, context) : compareAnswers(value, assigned, context);
  return isEqual(verdict) ? equal(`assigned value: ${verdict.rule}`) : verdict;
}

/** Why a predicted equation says no value, if so. */
function notSaying(relation: Relation, gold: Node, context: Context): Verdict | undefined {
  if (!isEquation(relation)) return undefined;
  if (context.options.chains === "end") return undefined;
  if (!saysValue(relation, gold, isName(relation.args[0]!))) return different("equation");
  return brokenChain(relation, context, compareAnswers);
}

/** `7 - 7 = 0`, `m + n = 7 - 7 = 0` end in a value; `x^2 - 4 = 0` does not. */
const isComputation = ({ args }: Relation): boolean => variables(args.at(-2)!).size === 0;

/** `x = \{1, 2\}`, `S = (0, 1) \cup (2, 3)`: a name for a set. */
const isAssignedSet = (node: Node): boolean =>
  isEquation(node) && node.args.length === 2 && isName(node.args[0]!) && isSet(node.args[1]!);
const isSet = (node: Node): boolean =>
  node.kind === "builder" || isSetOperation(node) || (node.kind === "group" && node.open === "{");

const isZero = (node: Node): boolean => node.kind === "num" && node.value.n === 0n;

const isTuple = (node: Group): boolean => node.open !== "" && node.open !== "{";

function compareGroups(a: Node, b: Node, context: Context): Verdict {
  a = namedPoint(a);
  b = namedPoint(b);
  if (a.kind !== "group" || b.kind !== "group") return compareOneAgainstMany(a, b, context);
  const [x, y] = [isTuple(a), isTuple(b)];
  if (!x && !y) {
    // Who lists a root twice asks for both.
    const counted = a.open === "" && a.args.length > b.args.length && a.args.length <= 20;
    return counted && repeats(a.args, context) ? different("elements") : compareUnordered(a.args, b.args, context);
  }
  if (a.args.length !== b.args.length) return different("components");
  if (x && y && !bracketsFit(a, b, context)) return different("brackets");
  if (x !== y && (a.open === "{" || b.open === "{") && ![a, b].some(isSquare)) return compareWithSet(a, b, context);
  if (x !== y && a.args.every((item) => item.kind === "group")) return compareUnordered(a.args, b.args, context);
  const half = [a, b].some((node) => isTuple(node) && (node.open === "(") !== (node.close === ")"));
  if (x !== y && half) return different("brackets");
  // `[-2, 2]` and `(0, \infty)` are intervals, `-2, 2` and `0, \infty` their ends.
  if (x !== y && a.args.length === 2 && [a, b].some(isInterval)) return different("brackets");
  return every(a.args, (item, i) => compareComponent(item, b.args[i]!, context), "components");
}

/** `P(3, 4)` as the point it names. */
function namedPoint(node: Node): Node {
  if (!isCall(node, "mul") || node.args.length !== 2) return node;
  const [name, point] = [node.args[0]!, node.args[1]!];
  return name.kind === "sym" && /^[A-Z](?:[_'].*)?$/.test(name.name) && point.kind === "group" && point.open === "("
    ? point
    : node;
}

const isSquare = (pair: Group): boolean => pair.open === "[" || pair.close === "]";
const isInterval = (pair: Group): boolean =>
  isTuple(pair) && (pair.open === "[" || pair.args.some((item) => isInfinite(item) !== 0));

/** A tuple against a set: the same elements, none of them twice. */
function compareWithSet(a: Group, b: Group, context: Context): Verdict {
  const tuple = isTuple(a) ? a : b;
  return repeats(tuple.args, context) ? different("components") : compareUnordered(a.args, b.args, context);
}

const repeats = (items: Node[], context: Context): boolean =>
  items.some((item, i) => items.slice(0, i).some((earlier) => isEqual(compareAnswers(item, earlier, context))));

/** One answer against several that are all the same. */
function compareOneAgainstMany(a: Node, b: Node, context: Context): Verdict {
  const [items, single] = a.kind === "group" ? [a, b] : [b as Group, a];
  if (isTuple(items) || items.args.length === 0 || items.args.length > 8) return different("elements");
  return every(items.args, (item) => compareAnswers(item, single, context), "elements");
}

/** `x = -1, y = 6` against (-1, 6): an equation in a list stands for its value. */
const compareComponent = (a: Node, b: Node, context: Context): Verdict =>
  isEquation(b) !== isEquation(a)
    ? isEquation(b)
      ? compareAssigned(b, a, context, false)
      : compareAssigned(a as Relation, b, context, true)
    : compareAnswers(a, b, context);

/** Round and square brackets differ in pairs, which may be intervals, unless the pair falls and can't be one. */
function bracketsFit(a: Group, b: Group, context: Context): boolean {
  if (a.open === b.open && a.close === b.close) return true;
  if (a.args.length !== 2) return true;
  const half = [a, b].some((node) => (node.open === "(") !== (node.close === ")"));
  return !half && falls(a, context);
}

function falls(pair: Group, context: Context): boolean {
  const [first, second] = pair.args.map((item) =>
    variables(item).size === 0 ? numericValue(item, new Point(), context.budget) : undefined,
  );
  return first !== undefined && second !== undefined && first.re > second.re;
}

/** As sets: every element of one has its equal in the other. */
function compareUnordered(a: Node[], b: Node[], context: Context): Verdict {
  const inside = (items: Node[], others: Node[], swap: boolean): boolean =>
    items.every((item, i) => {
      const order = [others[i], ...others].filter((other) => other !== undefined);
      return order.some((other) =>
        isEqual(swap ? compareAnswers(other, item, context) : compareAnswers(item, other, context)),
      );
    });
  if (a.length === 0 || b.length === 0) return a.length === b.length ? equal("elements") : different("elements");
  return inside(a, b, false) && inside(b, a, true) ? equal("elements") : different("elements");
}

/** `2\\hat{i} - \\hat{k}` against a column, a tuple or another such sum. */
function compareVectors(a: Node, b: Node, context: Context): Verdict | undefined {
  const [left, right] = [entriesOf(a), entriesOf(b)];
  if (left && right && (context.options.vectors === "shape" || (a.kind === "matrix") === (b.kind === "matrix")))
    return undefined;
  const x = left ?? components(a, right?.length ?? 3);
  const y = right ?? components(b, left?.length ?? 3);
  if (!x || !y || x.length !== y.length) return undefined;
  return every(x, (item, i) => compareAnswers(item, y[i]!, context), "coordinates");
}

/** Of a column, a point or a vector in brackets. */
const entriesOf = (node: Node): Node[] | undefined => {
  if (node.kind === "matrix") return node.rows[0]!.length === 1 ? node.rows.flat() : undefined;
  return node.kind === "group" && (node.open + node.close === "()" || node.open + node.close === "[]")
    ? node.args
    : undefined;
};

function compareMatrices(first: Node, second: Node, context: Context): Verdict {
  const entries = context.options.vectors === "entries";
  const a = second.kind === "matrix" ? asMatrix(first, second, entries) : first;
  const b = first.kind === "matrix" ? asMatrix(second, first, entries) : second;
  const vector = compareVectors(a, b, context);
  if (vector) return vector;
  if (a.kind !== "matrix" || b.kind !== "matrix" || a.shape !== b.shape) return different("matrix");
  const size = (matrix: Matrix): string => matrix.rows.map((row) => row.length).join();
  if (size(a) !== size(b)) return different("matrix");
  if (a.shape === "cases") return compareUnordered(a.rows.map(asTuple), b.rows.map(asTuple), context);
  const others = b.rows.flat();
  return every(a.rows.flat(), (entry, i) => compareAnswers(entry, others[i]!, context), "matrix");
}

/** Conditions that are no sets of reals count to the letter: "even" is no unit. */
const asTuple = ([value, condition]: Node[]): Node =>
  group("(", ")", [value!, { kind: "text", text: condition ? render(condition) : "" }]);

function compareBuilders(a: Node, b: Node, context: Context): Verdict {
  if (a.kind !== "builder" || b.kind !== "builder") return different("set");
  const head = compareAnswers(a.variable, b.variable, context);
  return isEqual(head) ? compareUnordered(a.conditions, b.conditions, context) : head;
}

/** `2:3:4` against `4:6:8`: a₁·b₂ = a₂·b₁ and so on. */
function compareRatios(a: Call, b: Call, context: Context): Verdict {
  if (a.args.length !== b.args.length) return different("ratio");
  const cross = (i: number): Verdict =>
    compareExpressions(call("mul", a.args[0]!, b.args[i]!), call("mul", b.args[0]!, a.args[i]!), context);
  return every(a.args, (_, i) => cross(i), "ratio");
}

const isSetOperation = (node: Node): boolean =>
  node.kind === "call" && (node.op === "cup" || node.op === "cap" || node.op === "setminus");

/** Unions whose ends are not numbers: part by part. */
function compareUnions(a: Node, b: Node, context: Context): Verdict {
  const parts = (node: Node): Node[] => (node.kind === "call" && node.op === "cup" ? node.args.flatMap(parts) : [node]);
  if (a.kind === "call" && b.kind === "call" && a.op === b.op && a.op !== "cup") {
    return every(a.args, (arg, i) => compareAnswers(arg, b.args[i]!, context), a.op);
  }
  const [x, y] = [parts(a), parts(b)];
  return x.length === 1 && y.length === 1 ? different("set") : compareUnordered(x, y, context);
}
