import { native } from "./native.js";
import type { Tensor } from "./tensor.js";

/**
 * Who frees a tensor: the innermost `scope` it was made in, when that ends, unless it is returned from it;
 * `dispose()`, at once; and for tensors made outside any scope, JavaScript's garbage collector, some time.
 */
let current: Tensor[] | null = null;

const collected = new FinalizationRegistry<number>((handle) => native.release(handle));

/** Registers a new tensor with the innermost scope. */
export function adopt(tensor: Tensor): void {
  if (current) current.push(tensor);
  else collected.register(tensor, tensor.handle, tensor);
}

/** Forgets a tensor that is about to be released by hand. */
export function disown(tensor: Tensor): void {
  if (!tensor.scoped) collected.unregister(tensor);
}

export const inScope = (): boolean => current !== null;

/** Whatever of `value` is a tensor: itself, or those in arrays, maps and plain objects. */
function visitTensors(value: unknown, visit: (tensor: Tensor) => void): void {
  if (value === null || typeof value !== "object") return;
  if (isTensor(value)) visit(value);
  else if (Array.isArray(value)) for (const item of value) visitTensors(item, visit);
  else if (value instanceof Map) for (const item of value.values()) visitTensors(item, visit);
  else if (value instanceof Promise) throw new TypeError("scope() is synchronous: its function returned a Promise");
  else if (Object.getPrototypeOf(value) === Object.prototype) visitTensors(Object.values(value), visit);
}

const isTensor = (value: object): value is Tensor => "handle" in value && "scoped" in value;

/** Frees every tensor made inside `body`, except those it returns (alone, or in arrays, maps and plain objects). */
export function scope<T>(body: () => T): T {
  const outer = current;
  const made: Tensor[] = [];
  current = made;
  try {
    const result = body();
    current = outer;
    const returned = new Set<Tensor>();
    visitTensors(result, (tensor) => returned.add(tensor));
    free(made, returned);
    return result;
  } catch (error) {
    current = outer;
    free(made, new Set());
    throw error;
  }
}

function free(made: readonly Tensor[], returned: ReadonlySet<Tensor>): void {
  const handles: number[] = [];
  for (const tensor of made) {
    if (tensor.handle === 0 || !tensor.scoped) continue;
    if (returned.has(tensor)) {
      tensor.scoped = current !== null;
      adopt(tensor);
    } else {
      handles.push(tensor.handle);
      tensor.handle = 0;
    }
  }
  if (handles.length > 0) native.release(handles);
}

/** Takes a tensor out of its scope: it lives until `dispose()` or garbage collection. Returns it. */
export function keep(tensor: Tensor): Tensor {
  if (tensor.scoped) {
    tensor.scoped = false;
    collected.register(tensor, tensor.handle, tensor);
  }
  return tensor;
}

/** Tensors alive through JavaScript handles. */
export const liveTensors = (): number => native.liveTensors();

/** Bytes those tensors hold, each storage counted once. */
export const liveBytes = (): number => native.liveBytes();
