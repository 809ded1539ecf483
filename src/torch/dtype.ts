/** Element types, by PyTorch's names. */
export type DType = "uint8" | "int32" | "int64" | "float16" | "float32" | "float64" | "bool" | "bfloat16";

/** c10::ScalarType's codes. */
const CODES: Record<DType, number> = {
  uint8: 0,
  int32: 3,
  int64: 4,
  float16: 5,
  float32: 6,
  float64: 7,
  bool: 11,
  bfloat16: 15,
};

const NAMES = new Map(Object.entries(CODES).map(([name, code]) => [code, name as DType]));

/** Bytes per element. */
export const ITEM_BYTES: Record<DType, number> = {
  uint8: 1,
  bool: 1,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  float32: 4,
  int64: 8,
  float64: 8,
};

export function dtypeCode(dtype: DType): number {
  const code = CODES[dtype];
  if (code === undefined) throw new TypeError(`unknown dtype '${dtype}': one of ${Object.keys(CODES).join(", ")}`);
  return code;
}

export function dtypeName(code: number): DType {
  const name = NAMES.get(code);
  if (!name) throw new TypeError(`libtorch's dtype code ${code} is not supported here`);
  return name;
}

export const isFloating = (dtype: DType): boolean =>
  dtype === "float16" || dtype === "float32" || dtype === "float64" || dtype === "bfloat16";

export type TypedArray = Uint8Array | Int32Array | BigInt64Array | Uint16Array | Float32Array | Float64Array;

/** The array that holds a dtype's raw elements; the 16-bit floats come as their bits. */
export function typedArrayOver(dtype: DType, buffer: ArrayBuffer): TypedArray {
  switch (dtype) {
    case "uint8":
    case "bool":
      return new Uint8Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    case "int64":
      return new BigInt64Array(buffer);
    case "float16":
    case "bfloat16":
      return new Uint16Array(buffer);
    case "float32":
      return new Float32Array(buffer);
    case "float64":
      return new Float64Array(buffer);
  }
}
