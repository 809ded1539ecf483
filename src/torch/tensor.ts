import { type DType, dtypeCode, dtypeName, isFloating, type TypedArray, typedArrayOver } from "./dtype.js";
import { DisposedTensorError } from "./errors.js";
import { format } from "./format.js";
import { native } from "./native.js";
import * as ops from "./ops.generated.js";
import { adopt, disown, inScope } from "./scope.js";

/** An n-dimensional array that lives in libtorch. Freed by its scope, by `dispose()`, or by garbage collection (scope.ts). */
export class Tensor {
  #shape: readonly number[] | null = null;
  #dtype: DType | null = null;
  /** Whether a scope will free it. */
  scoped: boolean;

  /** @internal wraps a handle of the addon; use `tensor()` or an operator. */
  constructor(
    /** The addon's name of this tensor; 0 after disposal. */
    public handle: number,
  ) {
    this.scoped = inScope();
    adopt(this);
  }

  get shape(): readonly number[] {
    this.#shape ??= native.shape(this.#alive("shape"));
    return this.#shape;
  }
  get strides(): readonly number[] {
    return native.strides(this.#alive("strides"));
  }
  get dtype(): DType {
    this.#dtype ??= dtypeName(native.dtype(this.#alive("dtype")));
    return this.#dtype;
  }
  /** `cpu`, `cuda:0`, … */
  get device(): string {
    return native.device(this.#alive("device"));
  }
  get dim(): number {
    return this.shape.length;
  }
  /** Elements. */
  get numel(): number {
    return this.shape.reduce((a, b) => a * b, 1);
  }
  get disposed(): boolean {
    return this.handle === 0;
  }
  /** Length of dimension `i`; negative counts from the end. */
  size(i: number): number {
    const n = this.shape.at(i);
    if (n === undefined) throw new RangeError(`dimension ${i} of a tensor of shape [${this.shape.join(", ")}]`);
    return n;
  }

  #alive(what: string): number {
    if (this.handle === 0) throw new DisposedTensorError(what, "");
    return this.handle;
  }

  /** Frees it now. Using it afterwards throws DisposedTensorError; disposing twice is allowed. */
  dispose(): void {
    if (this.handle === 0) return;
    disown(this);
    native.release(this.handle);
    this.handle = 0;
  }

  // Out to JavaScript.

  /** The raw elements, row-major; bfloat16 and float16 as their 16 bits. */
  toTypedArray(): TypedArray {
    return typedArrayOver(this.dtype, native.toBytes(this.#alive("toTypedArray")));
  }
  /** The elements as numbers, row-major (int64 beyond 2^53 loses precision). */
  toArray(): number[] {
    const wide = this.dtype === "bfloat16" || this.dtype === "float16";
    const raw = wide
      ? typedArrayOver("float32", native.toBytes(ops.toDtype(this, "float32").handle))
      : this.toTypedArray();
    return Array.from(raw as ArrayLike<number | bigint>, Number);
  }
  /** The only element. */
  item(): number {
    if (this.numel !== 1)
      throw new RangeError(`item() of a tensor of shape [${this.shape.join(", ")}]: it needs one element`);
    return this.toArray()[0]!;
  }
  toString(): string {
    return format(this);
  }

  // Autograd.

  get requiresGrad(): boolean {
    return native.requiresGrad(this.#alive("requiresGrad"));
  }
  set requiresGrad(on: boolean) {
    native.setRequiresGrad(this.#alive("requiresGrad"), on);
  }
  /** The accumulated gradient of a leaf, or null. */
  get grad(): Tensor | null {
    return wrapOptional(native.grad(this.#alive("grad")));
  }
  set grad(value: Tensor | null) {
    native.setGrad(this.#alive("grad"), value ? value.handle : 0);
  }
  /** Accumulates gradients into the leaves; `gradient` is needed unless this is a scalar. */
  backward(gradient?: Tensor, options: { retainGraph?: boolean } = {}): void {
    native.backward([this.#alive("backward")], gradient ? [gradient.handle] : [], options.retainGraph ?? false);
  }
  detach(): Tensor {
    return ops.detach(this);
  }

  // The operators used most; every other one is in `ops`.

  to(target: DType | string): Tensor {
    return target === "cpu" || target.includes(":") || target === "cuda"
      ? ops.toDevice(this, { device: target })
      : ops.toDtype(this, target as DType);
  }
  add(other: Tensor | number): Tensor {
    return ops.add(this, other);
  }
  sub(other: Tensor | number): Tensor {
    return ops.sub(this, other);
  }
  mul(other: Tensor | number): Tensor {
    return ops.mul(this, other);
  }
  div(other: Tensor | number): Tensor {
    return ops.div(this, other);
  }
  neg(): Tensor {
    return ops.neg(this);
  }
  exp(): Tensor {
    return ops.exp(this);
  }
  log(): Tensor {
    return ops.log(this);
  }
  sqrt(): Tensor {
    return ops.sqrt(this);
  }
  matmul(other: Tensor): Tensor {
    return ops.matmul(this, other);
  }
  reshape(...shape: number[]): Tensor {
    return ops.reshape(this, shape);
  }
  view(...shape: number[]): Tensor {
    return ops.view(this, shape);
  }
  transpose(a: number, b: number): Tensor {
    return ops.transpose(this, a, b);
  }
  permute(...dims: number[]): Tensor {
    return ops.permute(this, dims);
  }
  unsqueeze(dim: number): Tensor {
    return ops.unsqueeze(this, dim);
  }
  squeeze(dim: number): Tensor {
    return ops.squeeze(this, dim);
  }
  expand(...shape: number[]): Tensor {
    return ops.expand(this, shape);
  }
  contiguous(): Tensor {
    return ops.contiguous(this);
  }
  clone(): Tensor {
    return ops.clone(this);
  }
  narrow(dim: number, start: number, length: number): Tensor {
    return ops.narrow(this, dim, start, length);
  }
  select(dim: number, index: number): Tensor {
    return ops.select(this, dim, index);
  }
  indexSelect(dim: number, index: Tensor): Tensor {
    return ops.indexSelect(this, dim, index);
  }
  gather(dim: number, index: Tensor): Tensor {
    return ops.gather(this, dim, index);
  }
  sum(dim?: number | readonly number[], options: { keepdim?: boolean } = {}): Tensor {
    return dim === undefined ? ops.sumAll(this) : ops.sum(this, dim, options);
  }
  mean(dim?: number | readonly number[], options: { keepdim?: boolean } = {}): Tensor {
    return dim === undefined ? ops.meanAll(this) : ops.mean(this, dim, options);
  }
  logSoftmax(dim: number): Tensor {
    return ops.logSoftmax(this, dim);
  }
  softmax(dim: number): Tensor {
    return ops.softmax(this, dim);
  }
}

/** A new Tensor for a handle of the addon, owned by the current scope. */
export function wrap(handle: unknown): Tensor {
  return new Tensor(handle as number);
}

export function wrapOptional(handle: unknown): Tensor | null {
  return handle ? new Tensor(handle as number) : null;
}

type Nested = number | boolean | readonly Nested[];

/**
 * A tensor from numbers or a typed array, copied.
 * Nested arrays give the shape; flat data may be given one. Default dtype: the typed array's own, else float32.
 * bfloat16 and float16 take ordinary numbers, or their bits as a Uint16Array.
 */
export function tensor(data: Nested | TypedArray, shape?: readonly number[], dtype?: DType): Tensor {
  if (ArrayBuffer.isView(data)) return fromTyped(data as TypedArray, shape ?? [(data as TypedArray).length], dtype);
  const flat: number[] = [];
  const own = flatten(data as Nested, flat, 0);
  const target = dtype ?? "float32";
  return fromTyped(typedFrom(flat, target), shape ?? own, target);
}

function flatten(data: Nested, out: number[], depth: number): number[] {
  if (!Array.isArray(data)) {
    out.push(Number(data));
    return [];
  }
  const items = data as readonly Nested[];
  const shapes = items.map((item) => flatten(item, out, depth + 1));
  const inner = shapes[0] ?? [];
  if (shapes.some((s) => s.join() !== inner.join())) throw new RangeError(`tensor(): ragged array at depth ${depth}`);
  return [items.length, ...inner];
}

function typedFrom(flat: number[], dtype: DType): TypedArray {
  switch (dtype) {
    case "int64":
      return BigInt64Array.from(flat, BigInt);
    case "int32":
      return Int32Array.from(flat);
    case "uint8":
    case "bool":
      return Uint8Array.from(flat);
    case "float64":
      return Float64Array.from(flat);
    default:
      return Float32Array.from(flat);
  }
}

const OWN_DTYPE: Record<string, DType> = {
  Uint8Array: "uint8",
  Int32Array: "int32",
  BigInt64Array: "int64",
  Float32Array: "float32",
  Float64Array: "float64",
};

function fromTyped(data: TypedArray, shape: readonly number[], dtype?: DType): Tensor {
  const own = OWN_DTYPE[data.constructor.name] ?? (dtype && !isBits(data, dtype) ? undefined : dtype);
  if (!own) throw new TypeError(`tensor(): a ${data.constructor.name} needs the dtype bfloat16 or float16`);
  const target = dtype ?? own;
  const sameWidth = own === target || (own === "uint8" && target === "bool");
  if (sameWidth) return new Tensor(native.fromBytes(data, dtypeCode(target), shape));
  if (!isFloating(own) && isFloating(target) && own !== "int32" && own !== "int64") {
    throw new TypeError(`tensor(): cannot read a ${data.constructor.name} as ${target}`);
  }
  const source = new Tensor(native.fromBytes(data, dtypeCode(own), shape));
  const out = ops.toDtype(source, target);
  source.dispose();
  return out;
}

const isBits = (data: TypedArray, dtype: DType): boolean =>
  data instanceof Uint16Array && (dtype === "bfloat16" || dtype === "float16");
