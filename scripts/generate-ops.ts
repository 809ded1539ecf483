// Writes src/torch/ops.generated.ts: typed signatures for the operators of scripts/ops.txt, read from libtorch's own schemas.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

interface Argument {
  type: string;
  name: string;
  default: string | undefined;
  kwarg: boolean;
  written: boolean;
}
interface Schema {
  text: string;
  base: string;
  overload: string;
  args: Argument[];
  returns: string;
}

const native = createRequire(import.meta.url)("../build/Release/open_rs.node") as { schemas(): string[] };
const all = new Map(native.schemas().map((text) => [text.slice(0, text.indexOf("(")), text]));

/** Splits at top-level commas: brackets and parentheses nest. */
function split(list: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= list.length; i++) {
    const c = list[i];
    if (c === "(" || c === "[") depth++;
    else if (c === ")" || c === "]") depth--;
    if ((c === "," && depth === 0) || i === list.length) {
      const part = list.slice(start, i).trim();
      if (part) out.push(part);
      start = i + 1;
    }
  }
  return out;
}

function parse(name: string): Schema {
  const full = name.includes("::") ? name : `aten::${name}`;
  const text = all.get(full);
  if (!text) throw new Error(`scripts/ops.txt: there is no operator ${full}`);
  const open = text.indexOf("(");
  const arrow = text.lastIndexOf(") -> ");
  let kwarg = false;
  const args: Argument[] = [];
  for (const part of split(text.slice(open + 1, arrow))) {
    if (part === "*") {
      kwarg = true;
      continue;
    }
    const space = part.lastIndexOf(" ");
    const [argName, value] = part.slice(space + 1).split("=") as [string, string | undefined];
    const type = part.slice(0, space);
    args.push({
      type: type.replace(/\([a-z*>! -]+\)/g, ""),
      name: argName,
      default: value,
      kwarg,
      written: type.includes("!"),
    });
  }
  const [base, overload = ""] = text.slice(0, open).split(".") as [string, string?];
  return { text, base, overload, args, returns: text.slice(arrow + 5) };
}

const camel = (name: string) => name.replace(/(?<=.)_([a-z0-9])/g, (_, c: string) => c.toUpperCase());
const IGNORED = new Set(["Layout", "MemoryFormat", "Generator"]);

function tsType(type: string): string {
  if (type.endsWith("?")) return `${tsType(type.slice(0, -1))} | null`;
  if (/^(Sym)?[Ii]nt\[\d+\]$/.test(type)) return "number | readonly number[]";
  if (type === "Tensor?[]") return "readonly (Tensor | null)[]";
  if (type === "Tensor[]") return "readonly Tensor[]";
  if (/^((Sym)?Int|int|float)\[\d*\]$/.test(type)) return "readonly number[]";
  if (/^bool\[\d*\]$/.test(type)) return "readonly boolean[]";
  const simple: Record<string, string> = {
    Tensor: "Tensor",
    Scalar: "number",
    int: "number",
    SymInt: "number",
    float: "number",
    bool: "boolean",
    str: "string",
    ScalarType: "DType",
    Device: "string",
  };
  const found = simple[type];
  if (!found) throw new Error(`no TypeScript type for ${type}`);
  return found;
}

/** The expression that turns a TypeScript value into what the addon takes. */
function pass(type: string, value: string): string {
  if (type === "Tensor") return `${value}.handle`;
  if (type === "Tensor?") return `optional(${value})`;
  if (type === "Tensor[]") return `handles(${value})`;
  if (type === "Tensor?[]") return `optionalHandles(${value})`;
  if (type === "ScalarType") return `dtypeCode(${value})`;
  if (type === "ScalarType?") return `optionalDtype(${value})`;
  return value;
}

function returnType(schema: Schema): { type: string; convert: (call: string) => string } {
  const written = schema.args.find((a) => a.written);
  const returns = schema.returns.replace(/\([a-z]+( -> \*)?!?\)/g, "");
  if (written && schema.returns.includes("!"))
    return { type: "Tensor", convert: (c) => `${c};\n  return ${camel(written.name)}` };
  if (returns === "()") return { type: "void", convert: (c) => c };
  if (returns === "Tensor") return { type: "Tensor", convert: (c) => `return wrap(${c})` };
  if (returns === "Tensor[]") return { type: "Tensor[]", convert: (c) => `return (${c} as number[]).map(wrap)` };
  if (returns === "bool") return { type: "boolean", convert: (c) => `return ${c} as boolean` };
  const parts = split(returns.slice(1, -1));
  if (!parts.every((p) => p.startsWith("Tensor"))) throw new Error(`no TypeScript type for result ${returns}`);
  const tuple = `[${parts.map(() => "Tensor").join(", ")}]`;
  return { type: tuple, convert: (c) => `return (${c} as number[]).map(wrap) as ${tuple}` };
}

function emit(name: string, schema: Schema, scalar: Schema | undefined): string {
  const usable = (a: Argument) => !IGNORED.has(a.type.replace("?", "")) && a.name !== "pin_memory";
  const required = schema.args.filter((a) => a.default === undefined && !a.kwarg);
  const optional = schema.args.filter((a) => !required.includes(a) && usable(a));
  const union = (a: Argument) => (scalar && a === schema.args[1] ? "Tensor | number" : tsType(a.type));
  const params = required.map((a) => `${camel(a.name)}: ${union(a)}`);
  if (optional.length > 0) {
    const fields = optional.map((a) => `${camel(a.name)}${a.default === undefined ? "" : "?"}: ${tsType(a.type)}`);
    const must = optional.some((a) => a.default === undefined);
    params.push(`options: { ${fields.join("; ")} }${must ? "" : " = NONE"}`);
  }
  const value = (a: Argument) =>
    required.includes(a) ? camel(a.name) : usable(a) ? `options.${camel(a.name)}` : "undefined";
  const call = (s: Schema, id: string, isScalar: boolean) => {
    const values = s.args.map((a, i) => {
      const twin = schema.args[i]!;
      if (isScalar && i === 1) return camel(twin.name);
      return !usable(a) ? "undefined" : pass(a.type, twin.name === a.name ? value(twin) : "undefined");
    });
    // A missing trailing argument takes the schema's default, so one addon works across versions of libtorch.
    while (values.at(-1) === "undefined") values.pop();
    return `native.call((${id} ??= native.findOp("${s.base}", "${s.overload}")), ${values.join(", ")})`;
  };
  const { type, convert } = returnType(schema);
  const lines = [`/** \`${schema.text}\` */`, `export function ${name}(${params.join(", ")}): ${type} {`];
  if (scalar) {
    const guard = convert(call(scalar, `${name}Scalar`, true));
    lines.push(`  if (typeof ${camel(schema.args[1]!.name)} === "number") {`, `  ${guard};`, "  }");
  }
  lines.push(`  ${convert(call(schema, `${name}Id`, false))};`, "}", `let ${name}Id: number | undefined;`);
  if (scalar) lines.push(`let ${name}Scalar: number | undefined;`);
  return lines.join("\n");
}

const blocks = readFileSync(new URL("ops.txt", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line.trim() && !line.startsWith("#"))
  .map((line) => {
    const [name, sources] = line.split(" = ") as [string, string];
    const [first, scalar] = sources.split(" | ");
    return emit(name, parse(first!), scalar ? parse(scalar) : undefined);
  });

const header = `// Generated by scripts/generate-ops.ts from libtorch's schemas and scripts/ops.txt: run 'npm run generate:ops', don't edit.
import { type DType, dtypeCode } from "./dtype.js";
import { native } from "./native.js";
import { type Tensor, wrap } from "./tensor.js";

const NONE = {};
const optional = (t: Tensor | null | undefined) => t && t.handle;
const handles = (ts: readonly Tensor[]) => ts.map((t) => t.handle);
const optionalHandles = (ts: readonly (Tensor | null)[]) => ts.map((t) => t && t.handle);
const optionalDtype = (d: DType | null | undefined) => d && dtypeCode(d);
`;
writeFileSync(new URL("../src/torch/ops.generated.ts", import.meta.url), `${header}\n${blocks.join("\n\n")}\n`);
console.error(`src/torch/ops.generated.ts: ${blocks.length} operators`);
