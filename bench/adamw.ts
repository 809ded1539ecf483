/**
 * AdamW's step by what weights and moments are kept in: `npx tsx bench/adamw.ts [millions of parameters = 16] [rounds = 5]`.
 * Prints bytes per parameter (weight, gradient and optimizer, by liveBytes) and milliseconds per million parameters, the modes in turn
 * within each round: the median, and its ratio to the first mode's; and processor time, which a busy machine
 * disturbs less. OMP_NUM_THREADS threads, 1 by default.
 */
import {
  AdamW,
  type AdamWOptions,
  type DType,
  liveBytes,
  manualSeed,
  ops,
  scope,
  setNumThreads,
} from "../src/torch/index.js";

const millions = Number(process.argv[2] ?? 16);
const rounds = Number(process.argv[3] ?? 5);
setNumThreads(Number(process.env.OMP_NUM_THREADS ?? 1));

interface Mode extends AdamWOptions {
  name: string;
  dtype: DType;
}
const MODES: readonly Mode[] = [
  { name: "float32 weights, float32 moments", dtype: "float32" },
  { name: "bf16 weights, masters, float32 moments", dtype: "bfloat16" },
  { name: "bf16 weights, masters, 8-bit moments", dtype: "bfloat16", moments: "8bit" },
  { name: "bf16 weights, no masters, float32 moments", dtype: "bfloat16", masterWeights: false },
  { name: "bf16 weights, no masters, bf16 moments", dtype: "bfloat16", masterWeights: false, moments: "bfloat16" },
  { name: "bf16 weights, no masters, 8-bit moments", dtype: "bfloat16", masterWeights: false, moments: "8bit" },
];

function prepare({ name, dtype, ...options }: Mode) {
  const before = liveBytes();
  const numel = Math.round(millions * 2 ** 20);
  const weight = scope(() =>
    ops
      .randn([1024, numel / 1024])
      .mul(0.02)
      .to(dtype),
  );
  weight.requiresGrad = true;
  weight.grad = scope(() =>
    ops
      .randn([1024, numel / 1024])
      .mul(1e-3)
      .to(dtype),
  );
  const optimizer = new AdamW(new Map([["w", weight]]), options);
  optimizer.step(1e-6);
  return {
    name,
    optimizer,
    weight,
    numel,
    bytes: (liveBytes() - before) / numel,
    times: [] as number[],
    cpu: [] as number[],
  };
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

manualSeed(0);
const subjects = MODES.map(prepare);
for (let round = 0; round < rounds; round++) {
  for (const subject of subjects) {
    const start = performance.now();
    const before = process.cpuUsage();
    subject.optimizer.step(1e-6);
    subject.times.push(((performance.now() - start) * 1e6) / subject.numel);
    const { user, system } = process.cpuUsage(before);
    subject.cpu.push(((user + system) * 1e3) / subject.numel);
  }
}
const reference = median(subjects[0]?.times ?? []);
for (const { name, bytes, times, cpu } of subjects) {
  const ms = median(times);
  console.log(
    `${name.padEnd(42)} ${bytes.toFixed(3).padStart(7)} B/parameter ${ms.toFixed(2).padStart(6)} ms/M (× ${(ms / reference).toFixed(2)}), ${median(cpu).toFixed(2)} ms/M of processor time`,
  );
}
