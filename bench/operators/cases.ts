/**
 * Our CPU operators beside what they replace, on the same tensors. Shapes of a training pass over sequences of 108 tokens at hidden 256
 * and of 40 at hidden 128, 4 heads on 2 key heads; decode steps of rows that have 100 tokens; linear layers of few rows; drawing from
 * 64 × 512 logits.
 */
import { sample } from "../../src/engine/sampler.js";
import { DEFAULT_SAMPLING } from "../../src/engine/types.js";
import { RopeTable } from "../../src/model/rope.js";
import { plainRope } from "../../src/model/rope-config.js";
import {
  gradients,
  noGrad,
  type OwnOperator,
  ops,
  ownOperators,
  scope,
  setOwnOperators,
  type Tensor,
  tensor,
} from "../../src/torch/index.js";
import { pair, type Row } from "./measure.js";

type DType = "float32" | "bfloat16";
const [H, G] = [4, 2];

const rows: Row[] = [];
let rounds = 0;
const limits = ownOperators().operators;

function report(
  operator: OwnOperator,
  title: string,
  what: string,
  dtype: DType,
  ways: [() => void, () => void],
  count = 1,
): void {
  const limit = limits[operator][dtype];
  const [ours, theirs] = pair(...ways, rounds);
  rows.push({
    operator: `${operator.replace("_wide", "")} ${title}, ${dtype}`,
    what,
    ours,
    theirs,
    chosen: limit === null || count <= limit,
  });
}

function both(operator: OwnOperator, title: string, leaves: Tensor[], ours: () => Tensor, theirs: () => Tensor): void {
  const dtype = leaves[0]!.dtype as DType;
  const slope = scope(() => ops.randn(ours().shape).to(leaves[0]!.dtype));
  const forward = (way: () => Tensor) => () => void noGrad(way);
  const backward = (way: () => Tensor) => () => void gradients(way(), leaves, slope);
  report(operator, title, "forward", dtype, [forward(ours), forward(theirs)]);
  report(operator, title, "and backward", dtype, [backward(ours), backward(theirs)]);
}

function leaf(dtype: DType, ...shape: number[]): Tensor {
  const t = ops.randn(shape).to(dtype).detach();
  t.requiresGrad = true;
  return t;
}

const table = (K: number, dtype: DType) => new RopeTable(plainRope(10_000), K, dtype, "cpu");
const index = (values: number[]) => tensor(values, undefined, "int64");

function training(dtype: DType, D: number, I: number, length: number, count: number): void {
  const [N, K, title] = [count * length, D / H, String(D)];
  const gateUp = leaf(dtype, N, 2 * I);
  both(
    "silu_mul",
    title,
    [gateUp],
    () => ops.siluMul(gateUp),
    () => {
      const [gate, up] = ops.splitSizes(gateUp, [I, I], { dim: -1 });
      return ops.silu(gate!).mul(up!);
    },
  );
  const [x, delta, weight] = [leaf(dtype, N, D), leaf(dtype, N, D), leaf(dtype, D)];
  both(
    "add_rms_norm",
    title,
    [x, delta, weight],
    () => ops.addRmsNorm(x, delta, weight, 1e-6)[1],
    () => ops.rmsNorm(x.add(delta), weight.shape, { weight, eps: 1e-6 }),
  );
  const qkv = leaf(dtype, N, (H + 2 * G) * K);
  const rope = table(K, dtype);
  const { cos_NK, sin_NK } = rope.upTo(length);
  const starts = index(Array.from({ length: count + 1 }, (_, i) => i * length));
  const trees = index(Array.from({ length: count + 1 }, (_, i) => i));
  const rotation = rope.at(ops.arange(0, length, { dtype: "int64" }), length);
  both(
    "packed_attention",
    title,
    [qkv],
    () => ops.packedAttention(qkv, starts, trees, cos_NK, sin_NK, H, G),
    () => {
      const [qk, v] = ops.splitSizes(qkv.view(count, length, H + 2 * G, K), [H + G, G], { dim: 2 });
      const [q, k] = ops.splitSizes(rope.rotate(qk!, rotation), [H, G], { dim: 2 });
      // As the model did: bfloat16 through float32, which is three times faster backward.
      const [a, b, c] = [q!, k!, v!].map((t) => t.transpose(1, 2).to("float32"));
      const out = ops.scaledDotProductAttention(a!, b!, c!, { isCausal: true, enableGqa: true });
      return out.to(dtype).transpose(1, 2).reshape(N, D);
    },
  );
}

function decoding(dtype: DType, D: number, B: number, tokens: number): void {
  const K = D / H;
  const columns = tokens + 64;
  const qkv = ops.randn([B, (H + 2 * G) * K]).to(dtype);
  const keys = ops.randn([B, G, K, columns]).to(dtype);
  const values = ops.randn([B, G, columns, K]).to(dtype);
  const rope = table(K, dtype);
  const { cos_NK, sin_NK } = rope.upTo(tokens);
  const starts = index(Array<number>(B).fill(64));
  const rotation = rope.at(ops.full([B, 1], tokens - 1, { dtype: "int64" }), tokens);
  const plain = () => {
    const [qk, v] = ops.splitSizes(qkv.view(B, 1, H + 2 * G, K), [H + G, G], { dim: 2 });
    const [q, k] = ops.splitSizes(rope.rotate(qk!, rotation), [H, G], { dim: 2 });
    const [flatKeys, flatValues] = [keys.view(B * G, K, columns), values.view(B * G, columns, K)];
    ops.copy_(flatKeys.select(2, columns - 1), k!.reshape(B * G, K));
    ops.copy_(flatValues.select(1, columns - 1), v!.reshape(B * G, K));
    const seen = flatKeys.narrow(2, 64, tokens);
    const scores = ops.bmm(q!.reshape(B * G, H / G, K), seen).mul(K ** -0.5);
    const p = ops.softmax(scores, -1, { dtype: "float32" }).to(dtype);
    ops.bmm(p, flatValues.narrow(1, 64, tokens));
  };
  const ours = () => void ops.decodeAttention(qkv, keys, values, starts, columns, cos_NK, sin_NK, H);
  noGrad(() => report("decode_attention", String(D), `${B} rows`, dtype, [ours, plain]));
}

/** Weights beyond the caches (55 MB in bfloat16), and small ones. */
function linears(dtype: DType, D: number, O: number): void {
  const [w, bias] = [ops.randn([O, D]).to(dtype), ops.randn([O]).to(dtype)];
  for (const rows of [1, 2, 4, 8]) {
    const x = ops.randn([rows, D]).to(dtype);
    const ours = () => void ops.linearLayer(x, w, { bias });
    const plain = () => void ops.linear(x, w, { bias });
    noGrad(() => report(D < 512 ? "linear" : "linear_wide", `${D} → ${O}`, `${rows} rows`, dtype, [ours, plain], rows));
  }
}

function drawing(dtype: DType, B: number, V: number): void {
  const logits = ops.randn([B, V]).to(dtype);
  const ours = () => void sample(logits, { ...DEFAULT_SAMPLING, temperature: 0.7 }, null);
  // top_k of the whole vocabulary changes nothing, but goes the long way.
  const plain = () => void sample(logits, { ...DEFAULT_SAMPLING, temperature: 0.7, topK: V }, null);
  noGrad(() => report("draw", String(V), `${B} rows`, dtype, [ours, plain]));
}

/** Ours in place of libtorch's everywhere, also where they are not chosen. */
export function measureAll(roundsEach: number): Row[] {
  rounds = roundsEach;
  setOwnOperators("all");
  scope(() => {
    for (const dtype of ["float32", "bfloat16"] as const) {
      training(dtype, 256, 1024, 108, 16);
      training(dtype, 128, 384, 40, 50);
      for (const B of [64, 8]) decoding(dtype, 256, B, 100);
      linears(dtype, 1536, 17_920);
      linears(dtype, 128, 768);
      drawing(dtype, 64, 512);
    }
  });
  return rows;
}
