import type { Tensor } from "./tensor.js";

/** At most this many items of a dimension are shown: the first and last three of a longer one. */
const EDGE = 3;

/** `float32[2, 3] [[1, 2, 3], [4, 5, 6]]`, long dimensions shortened. */
export function format(tensor: Tensor): string {
  if (tensor.disposed) return "Tensor(disposed)";
  const where = tensor.device === "cpu" ? "" : ` on ${tensor.device}`;
  const head = `${tensor.dtype}[${tensor.shape.join(", ")}]${where}`;
  if (tensor.numel > 1_000_000) return head;
  return `${head} ${formatValues(tensor.toArray(), tensor.shape)}`;
}

function formatValues(values: readonly number[], shape: readonly number[]): string {
  const [length, ...inner] = shape;
  if (length === undefined) return formatNumber(values[0]!);
  const step = inner.reduce((a, b) => a * b, 1);
  const at = (i: number) => formatValues(values.slice(i * step, (i + 1) * step), inner);
  const all = Array.from({ length }, (_, i) => i);
  const short = length > 2 * EDGE;
  const items = short ? [...all.slice(0, EDGE).map(at), "…", ...all.slice(-EDGE).map(at)] : all.map(at);
  return `[${items.join(", ")}]`;
}

const formatNumber = (x: number): string => (Number.isInteger(x) ? String(x) : String(Number(x.toPrecision(5))));
