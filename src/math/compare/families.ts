/**
 * Families with an integer parameter as the sets they are: `x = \frac{\pi}{2} + k\pi, k \in \mathbb{Z}`,
 * `\{2n + 1 \mid n \in \mathbb{Z}\}`, `x \equiv 3 \pmod 7`. The first members of each must be members of the other.
 */
import { call, children, group, isCall, type Node, type Relation, sym } from "../ast.js";
import { numericValue, Point, variables } from "../value/numeric.js";
import { agree, samplePoint } from "./expressions.js";
import { type Context, different, equal, type Verdict } from "./verdict.js";

interface Family {
  /** What the members are values of, "" when nothing says. */
  name: string;
  members: Node[];
  parameter: string;
  /** The least value of the parameter. */
  from: number;
}

const domains: Record<string, number> = {
  "set Z": Number.NEGATIVE_INFINITY,
  "set N": 0,
  "set Z ge0": 0,
  "set Z +": 1,
  "set Z >0": 1,
  "set N +": 1,
  "set N *": 1,
};

const isDomain = (node: Node): node is Relation =>
  node.kind === "rel" && node.ops.join() === "in" && node.args[1]!.kind === "sym" && node.args[1]!.name in domains;

/** The residue class `x \equiv a \pmod m` as x = a + m·k; the modulus may stand behind the last of several residues. */
function residues(items: Node[]): Node[] | undefined {
  const modulus = items.map(modulusOf).findLast((found) => found !== undefined);
  if (!modulus || !items.some((item) => item.kind === "rel" && item.ops.join() === "equiv")) return undefined;
  const step = call("mul", modulus, sym("#k"));
  return items.map((item) => {
    const value = item.kind === "rel" ? item.args.at(-1)! : item;
    const shifted = call("add", isCall(value, "pmod") ? value.args[0]! : value, step);
    return item.kind === "rel" ? { ...item, args: [item.args[0]!, shifted], ops: ["="] } : shifted;
  });
}

const modulusOf = (item: Node): Node | undefined => {
  const value = item.kind === "rel" ? item.args.at(-1)! : item;
  return isCall(value, "pmod") ? value.args[1] : undefined;
};

function familyOf(node: Node): Family | undefined {
  if (node.kind === "builder") return familyOf(group("", "", [node.variable, ...node.conditions]));
  // `[2k\pi, 3k\pi] (k \in \mathbb{Z})`
  const items = node.kind === "group" && node.open === "" ? node.args : isCall(node, "mul") ? node.args : [node];
  const domain = items.find(isDomain);
  const classes = domain ? undefined : residues(items);
  if (!domain && !classes) return undefined;
  const members = classes ?? items.filter((item) => item !== domain);
  const parameter = domain ? (domain.args[0] as { name?: string }).name : "#k";
  const family = named(members, parameter ?? "");
  return (
    family && { ...family, from: domain ? domains[(domain.args[1] as { name: string }).name]! : domains["set Z"]! }
  );
}

/** Members with their left side taken off, which must be the same for all. */
function named(items: Node[], parameter: string): Omit<Family, "from"> | undefined {
  const lefts = items.map((item) =>
    item.kind === "rel" && item.args.length === 2 && item.args[0]!.kind === "sym" && /^(?:=|in)$/.test(item.ops[0]!)
      ? item.args[0]!.name
      : "",
  );
  const name = lefts.find((left) => left !== "") ?? "";
  const members = items.map((item, i) => (lefts[i] !== "" ? (item as Relation).args[1]! : item));
  if (members.length === 0 || lefts.some((left) => left !== "" && left !== name)) return undefined;
  return { name, members, parameter };
}

/** The other side when it names no domain: its one free letter that may count. */
function undeclared(node: Node, like: Family): Family | undefined {
  const items = node.kind === "group" && node.open === "" ? node.args : [node];
  const bare = named(items, "");
  const letters = bare?.members.flatMap((member) => [...variables(member)].filter((name) => /^[kmn]$/.test(name)));
  return bare && new Set(letters).size === 1 ? { ...bare, parameter: letters![0]!, from: like.from } : undefined;
}

/** The verdict, or undefined when neither side is a family. */
export function compareFamilies(a: Node, b: Node, context: Context): Verdict | undefined {
  const [declaredA, declaredB] = [familyOf(a), familyOf(b)];
  const [x, y] = [
    declaredA ?? (declaredB && undeclared(a, declaredB)),
    declaredB ?? (declaredA && undeclared(b, declaredA)),
  ];
  if (!x || !y) return undefined;
  if (x.name !== "" && y.name !== "" && x.name !== y.name) return different("family");
  const within = (few: Family, many: Family): boolean => {
    const all = values(many, 30, context);
    return values(few, 4, context)?.every((one) => all?.some((other) => sameValues(one, other))) ?? false;
  };
  return within(x, y) && within(y, x) ? equal("family") : different("family");
}

type Values = NonNullable<ReturnType<typeof numericValue>>[];

const sameValues = (a: Values, b: Values): boolean =>
  a.length === b.length && a.every((value, i) => agree(value, b[i]!) === true);

/** The members for the first values of the parameter, each as the numbers it consists of. */
function values(family: Family, count: number, context: Context): Values[] | undefined {
  const others = [...new Set(family.members.flatMap((member) => ends(member).flatMap((part) => [...variables(part)])))];
  const from = Number.isFinite(family.from) ? family.from : -count;
  const found: Values[] = [];
  for (let k = from; k <= count; k++) {
    for (const member of family.members) {
      const point = new Point(samplePoint(others, 0)).set(family.parameter, k);
      const parts = ends(member).map((part) => numericValue(part, point, context.budget));
      if (parts.some((part) => part === undefined)) return undefined;
      found.push([{ re: shape(member), im: 0, err: 0 }, ...(parts as Values)]);
    }
  }
  return found;
}

/** The numbers a member consists of: itself, or the ends of an interval. */
const ends = (node: Node): Node[] => (node.kind === "group" ? children(node) : [node]);

/** Tells (a, b) from [a, b]. */
const shape = (node: Node): number =>
  node.kind === "group" ? "([{".indexOf(node.open || "(") + 4 * ")]}".indexOf(node.close || ")") : 0;
