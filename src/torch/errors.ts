/** libtorch refused an operation. The message holds the operator, its tensors' dtypes and shapes, and libtorch's first line. */
export class TorchError extends Error {
  override name = "TorchError";
  constructor(
    /** As registered, e.g. `aten::mm`. */
    readonly operator: string,
    /** `self: float32[2, 3], mat2: float32[4, 5]`, or empty. */
    readonly operands: string,
    /** libtorch's whole message, without the C++ backtrace. */
    readonly detail: string,
  ) {
    super(`${operator}${operands ? `(${operands})` : ""}: ${firstLine(detail)}`);
  }
}

/** A tensor was used after `dispose()` or after its scope ended. */
export class DisposedTensorError extends Error {
  override name = "DisposedTensorError";
  constructor(
    readonly operator: string,
    which: string,
  ) {
    super(
      `${operator}: ${which || "the tensor"} was disposed: return it from its scope, or keep() it, to use it afterwards`,
    );
  }
}

/** libtorch names dtypes by C++ type; users know PyTorch's names. */
const CPP_NAMES: Record<string, string> = {
  Float: "float32",
  Double: "float64",
  Half: "float16",
  BFloat16: "bfloat16",
  Int: "int32",
  Long: "int64",
  Byte: "uint8",
  Bool: "bool",
};

const firstLine = (text: string): string => text.split("\n", 1)[0]!.trim();

/** Whether libtorch found no memory on a GPU for what it was asked. */
export const isOutOfGpuMemory = (error: unknown): boolean =>
  error instanceof TorchError &&
  /CUDA out of memory|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED/.test(error.detail);

/** Called by the addon with what went wrong; returns the error it throws. */
export function makeError(kind: string, operator: string, operands: string, message: string): Error {
  if (kind === "disposed") return new DisposedTensorError(operator, message);
  const named = operands.replace(/\b([A-Z]\w+)\[/g, (all, name: string) => `${CPP_NAMES[name] ?? all.slice(0, -1)}[`);
  return new TorchError(operator, named, message);
}
