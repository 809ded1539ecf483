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

/** The same, for operators that return one tensor. */
export function callTensorOp(name: string, overload: string, ...args: unknown[]): Tensor {
  return wrap(callOp(name, overload, ...args));
}

function unwrap(value: unknown): unknown {
  if (value instanceof Tensor) return value.handle;
  return Array.isArray(value) ? value.map(unwrap) : value;
}
