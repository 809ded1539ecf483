/**
 * What one call on small tensors costs, ours beside PyTorch's own: `npx tsx bench/dispatch.ts [rounds]`.
 * PyTorch runs in a Python of its own (PYTHON, else python3), one thread each, the rounds of both in turn, so that
 * other work on the machine falls on both. A figure is the median of the rounds' means; ours includes freeing the results, in a
 * scope per CALLS calls; Python's includes its loop and freeing. Target: ≤ 3 µs per call.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { formatTable } from "../src/terminal/table.js";
import { ops, scope, setNumThreads, type Tensor, tensor, torchVersion } from "../src/torch/index.js";

const CALLS = 500;
const ROUNDS = Number(process.argv[2] ?? 31);
const TARGET_MICROSECONDS = 3;

const ramp = (shape: number[]): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Array.from({ length: size }, (_, i) => Math.sin(i)),
    shape,
  );
};

const a = ramp([8]);
const b = ramp([8]);
const x = ramp([8, 8]);
const w = ramp([8, 8]);
const bias = ramp([8]);

/** The same five calls in both languages. */
const CASES: readonly { name: string; ours: () => Tensor; python: string }[] = [
  { name: "add [8]", ours: () => ops.add(a, b), python: "a + b" },
  { name: "mul [8]", ours: () => ops.mul(a, b), python: "a * b" },
  { name: "view [8,8] → [64]", ours: () => x.view(64), python: "x.view(64)" },
  { name: "linear 8×8", ours: () => ops.linear(x, w, { bias }), python: "torch.nn.functional.linear(x, w, bias)" },
  { name: "softmax [8,8]", ours: () => ops.softmax(x, -1), python: "torch.softmax(x, -1)" },
];

const PYTHON = `
import json, sys, time, torch
torch.set_num_threads(1)
ramp = lambda *shape: torch.arange(torch.Size(shape).numel(), dtype=torch.float32).sin().reshape(shape)
a, b, x, w, bias = ramp(8), ramp(8), ramp(8, 8), ramp(8, 8), ramp(8)
print(json.dumps(torch.__version__), flush=True)
def timed(call):
    start = time.perf_counter()
    for _ in range(${CALLS}): call()
    return (time.perf_counter() - start) / ${CALLS} * 1e6
with torch.no_grad():
    cases = [${CASES.map(({ python }) => `lambda: ${python}`).join(", ")}]
    for line in sys.stdin:
        print(json.dumps([timed(call) for call in cases]), flush=True)
`;

/** Microseconds per call of one round. */
function ourRound(): number[] {
  return CASES.map(({ ours }) => {
    const start = performance.now();
    scope(() => {
      for (let i = 0; i < CALLS; i++) ours();
    });
    return ((performance.now() - start) / CALLS) * 1000;
  });
}

/** A Python with torch that times a round when asked; null if there is none. */
async function startPython(): Promise<{ version: string; round: () => Promise<number[]>; stop: () => void } | null> {
  const command = process.env.PYTHON ?? "python3";
  if (spawnSync(command, ["-c", "import torch"]).status !== 0) return null;
  const child: ChildProcessWithoutNullStreams = spawn(command, ["-c", PYTHON]);
  child.stderr.pipe(process.stderr);
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  const read = async (): Promise<unknown> => {
    const { value, done } = await answers.next();
    if (done) throw new Error(`${command} ended before it answered`);
    return JSON.parse(value);
  };
  const version = String(await read());
  return {
    version,
    round: async () => {
      child.stdin.write("\n");
      return (await read()) as number[];
    },
    stop: () => child.stdin.end(),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((p, q) => p - q);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

setNumThreads(1);
const python = await startPython();
for (let i = 0; i < 20; i++) ourRound();
if (python) await python.round();
const rounds: { ours: number[]; torch: number[] | undefined }[] = [];
for (let i = 0; i < ROUNDS; i++) rounds.push({ ours: ourRound(), torch: await python?.round() });
python?.stop();

const medians = CASES.map(({ name }, i) => ({
  name,
  ours: median(rounds.map(({ ours }) => ours[i] ?? Number.NaN)),
  torch: median(rounds.flatMap(({ torch }) => torch?.[i] ?? [])),
}));
console.log(`µs per call, median of ${ROUNDS} rounds of ${CALLS} calls, one thread`);
console.log(
  formatTable(
    [
      "call",
      `open-rs (libtorch ${torchVersion()})`,
      ...(python ? [`PyTorch ${python.version}`, "ours / PyTorch"] : []),
    ],
    medians.map(({ name, ours, torch }) => [
      name,
      ours.toFixed(2),
      ...(python ? [torch.toFixed(2), (ours / torch).toFixed(2)] : []),
    ]),
  ),
);
if (!python) console.log("No Python with torch was found for comparison: set PYTHON to one, e.g. that of a venv.");
const slowest = medians.reduce((worst, each) => (each.ours > worst.ours ? each : worst));
console.log(
  `slowest: ${slowest.name}, ${slowest.ours.toFixed(2)} µs; target ≤ ${TARGET_MICROSECONDS} µs: ${slowest.ours <= TARGET_MICROSECONDS ? "met" : "MISSED"}`,
);
