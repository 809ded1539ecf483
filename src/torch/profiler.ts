import { native } from "./native.js";

/** Told of every native call: the operator's name and its milliseconds. On a GPU that is the time to launch it, not to run it. */
export type OpListener = (name: string, ms: number) => void;

/** Times every operator from now on (about 0.2 µs a call); returns what ends it. Operators called before keep their ids, so start early. */
export function profileOps(listen: OpListener): () => void {
  const original = { call: native.call, findOp: native.findOp, backward: native.backward };
  const names = new Map<number, string>();
  native.findOp = (name, overload) => {
    const id = original.findOp(name, overload);
    names.set(id, name.replace("aten::", ""));
    return id;
  };
  native.call = (id, ...args) => {
    const start = performance.now();
    const result = original.call(id, ...args);
    listen(names.get(id) ?? "operators used before profiling", performance.now() - start);
    return result;
  };
  native.backward = (...args) => {
    const start = performance.now();
    original.backward(...args);
    listen("backward (autograd)", performance.now() - start);
  };
  return () => void Object.assign(native, original);
}
