/**
 * Our CPU operators (native/operators*.cc) beside what they replace in libtorch's, on the same tensors in turn:
 *
 *     npx tsx bench/operators.ts [--threads 2] [--rounds 15]
 *
 * milliseconds, medians: forward without gradients, and forward with backward. Shapes of a training pass over sequences of 108 tokens at
 * hidden 256 and of 40 at hidden 128, 4 heads on 2 key heads; a decode step of 64 rows that have 100 tokens; drawing from 64 × 512 logits.
 */
import { parseArgs } from "node:util";
import { sample } from "../src/engine/sampler.js";
import { DEFAULT_SAMPLING } from "../src/engine/types.js";
import { RopeTable } from "../src/model/rope.js";
import { plainRope } from "../src/model/rope-config.js";
import { formatTable } from "../src/terminal/table.js";
import { gradients, noGrad, ops, scope, setNumThreads, type Tensor, tensor } from "../src/torch/index.js";

const { values } = parseArgs({
  options: { threads: { type: "string", default: "2" }, rounds: { type: "string", default: "15" } },
});
setNumThreads(Number(values.threads));
const rounds = Number(values.rounds);

type DType = "float32" | "bfloat16";
const [H, G] = [4, 2];

/** Medians of two ways, measured in turn. */
function pair(ours: () => void, theirs: () => void): [number, number] {
  const times: [number[], number[]] = [[], []];
  for (let round = -2; round < rounds; round++) {
    [ours, theirs].forEach((way, i) => {
      const start = performance.now();
      scope(way);
      if (round >= 0) times[i]!.push(performance.now() - start);
    });
  }
  return times.map((list) => list.sort((a, b) => a - b)[rounds >> 1]!) as [number, number];
}

const rows: string[][] = [];
function report(name: string, what: string, [ours, theirs]: [number, number]): void {
  rows.push([name, what, ours.toFixed(3), theirs.toFixed(3), `× ${(theirs / ours).toFixed(1)}`]);
}

function both(name: string, leaves: Tensor[], ours: () => Tensor, theirs: () => Tensor): void {
  const slope = scope(() => ops.randn(ours().shape).to(leaves[0]!.dtype));
  const forward = (way: () => Tensor) => () => void noGrad(way);
  const backward = (way: () => Tensor) => () => void gradients(way(), leaves, slope);
  report(name, "forward", pair(forward(ours), forward(theirs)));
  report(name, "and backward", pair(backward(ours), backward(theirs)));
}

function leaf(dtype: DType, ...shape: number[]): Tensor {
  const t = ops.randn(shape).to(dtype).detach();
  t.requiresGrad = true;
  return t;
}

const table = (K: number, dtype: DType) => new RopeTable(plainRope(10_000), K, dtype, "cpu");
const index = (values: number[]) => tensor(values, undefined, "int64");

function training(dtype: DType, D: number, I: number, length: number, count: number): void {
  const [N, K, title] = [count * length, D / H, `${D}, ${dtype}`];
  const gateUp = leaf(dtype, N, 2 * I);
  both(
    `silu_mul ${title}`,
    [gateUp],
    () => ops.siluMul(gateUp),
    () => {
      const [gate, up] = ops.splitSizes(gateUp, [I, I], { dim: -1 });
      return ops.silu(gate!).mul(up!);
    },
  );
  const [x, delta, weight] = [leaf(dtype, N, D), leaf(dtype, N, D), leaf(dtype, D)];
  both(
    `add_rms_norm ${title}`,
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
    `packed_attention ${title}`,
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
  report(
    `decode_attention ${D}, ${dtype}`,
    `${B} rows`,
    noGrad(() => pair(ours, plain)),
  );
}

/** Weights beyond the caches (55 MB in bfloat16), and small ones. */
function linears(dtype: DType, D: number, O: number): void {
  const [w, bias] = [ops.randn([O, D]).to(dtype), ops.randn([O]).to(dtype)];
  for (const rows of [1, 2, 4, 8]) {
    const x = ops.randn([rows, D]).to(dtype);
    const ours = () => void ops.linearLayer(x, w, { bias });
    const plain = () => void ops.linear(x, w, { bias });
    report(
      `linear ${D} → ${O}, ${dtype}`,
      `${rows} rows`,
      noGrad(() => pair(ours, plain)),
    );
  }
}

function drawing(dtype: DType, B: number, V: number): void {
  const logits = ops.randn([B, V]).to(dtype);
  const ours = () => void sample(logits, { ...DEFAULT_SAMPLING, temperature: 0.7 }, null);
  // top_k of the whole vocabulary changes nothing, but goes the long way.
  const plain = () => void sample(logits, { ...DEFAULT_SAMPLING, temperature: 0.7, topK: V }, null);
  report(
    `draw ${V}, ${dtype}`,
    `${B} rows`,
    noGrad(() => pair(ours, plain)),
  );
}

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
const columns = ["operator", "", "ours ms", "libtorch ms", "ratio"];
console.log(formatTable(columns, rows));
