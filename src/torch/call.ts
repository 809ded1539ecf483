import { native } from "./native.js";
import { Tensor, wrap } from "./tensor.js";

const ids = new Map<string, number>();

/**
 * Calls any registered operator, e.g. `callOp("aten::addmv", "", bias, matrix, vector)`: arguments in schema order,
 * tensors as Tensor, dtypes as `dtypeCode(…)`, undefined for a default. Tensors in the result are named by `resultIsTensor`.
 * Prefer `ops`, whose signatures are typed.
 */
export function callOp(name: string, overload: string, ...args: unknown[]): unknown {
  const key = `${name}.${overload}`;
  const id = ids.get(key) ?? native.findOp(name, overload);
  ids.set(key, id);
  return native.call(id, ...args.map(unwrap));
}

/** The same, for operators that return one tensor. One that writes into an argument (`add_`, `out=`) returns that argument. */
export function callTensorOp(name: string, overload: string, ...args: unknown[]): Tensor {
  const result = callOp(name, overload, ...args);
  return result === undefined ? writtenArgument(name, overload, args) : wrap(result);
}

const written = new Map<string, number>();

/** The addon makes no second handle for a tensor that the caller already holds; the schema marks it, as in `Tensor(a!) self`. */
function writtenArgument(name: string, overload: string, args: readonly unknown[]): Tensor {
  const key = overload ? `${name}.${overload}` : name;
  const index = written.get(key) ?? indexOfWritten(key);
  written.set(key, index);
  const argument = args[index];
  if (!(argument instanceof Tensor)) throw new TypeError(`${key} returns no tensor: call it through callOp`);
  return argument;
}

function indexOfWritten(key: string): number {
  const schema = native.schemas().find((text) => text.startsWith(`${key}(`)) ?? "";
  const tensors = schema.slice(key.length + 1, schema.lastIndexOf(") -> ")).split(", ");
  return tensors
    .filter((argument) => argument !== "*")
    .findIndex((argument) => argument.startsWith("Tensor(") && argument.includes("!)"));
}

function unwrap(value: unknown): unknown {
  if (value instanceof Tensor) return value.handle;
  return Array.isArray(value) ? value.map(unwrap) : value;
}
