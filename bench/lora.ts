/**
 * What adapters cost and save beside training all weights: `npx tsx bench/lora.ts [hidden] [rounds]` (default 256, 9).
 * Three models of 4 layers with the same weights: all trained, LoRA r 16 on q_proj and v_proj, and on all linear maps. Times of one pass in
 * turn, medians of the rounds; memory of weights, gradients and moments after one update. Dropout is off. One thread.
 */
import { addLora, type CausalLM, LORA_MODULES, parseConfig, randomModel } from "../src/model/index.js";
import { backwardTokens, packBatch } from "../src/passes/index.js";
import { formatTable } from "../src/terminal/table.js";
import { AdamW, manualSeed, noGrad, ops, scope, setNumThreads, tensor } from "../src/torch/index.js";

const HIDDEN = Number(process.argv[2] ?? 256);
const ROUNDS = Number(process.argv[3] ?? 9);
const [ROWS, LENGTH] = [64, 96];

const config = parseConfig({
  model_type: "qwen2",
  vocab_size: 512,
  hidden_size: HIDDEN,
  intermediate_size: 4 * HIDDEN,
  num_hidden_layers: 4,
  num_attention_heads: HIDDEN / 64,
  num_key_value_heads: 1,
  max_position_embeddings: 256,
  tie_word_embeddings: true,
});

function fresh(modules: typeof LORA_MODULES | readonly ["q_proj", "v_proj"] | null): CausalLM {
  manualSeed(0);
  const base = randomModel(config, { std: 0.05 });
  if (modules === null) return base;
  return addLora(base, { base: "", rank: 16, alpha: 32, rslora: false, dropout: 0, modules, seed: 0 });
}

setNumThreads(1);
const cases = [
  { name: "all weights", modules: null },
  { name: "q_proj, v_proj", modules: ["q_proj", "v_proj"] as const },
  { name: "all-linear", modules: LORA_MODULES },
].map(({ name, modules }) => {
  const model = fresh(modules).requireGrad(true);
  return {
    name,
    model,
    optimizer: new AdamW(model.parameters()),
    decode: [] as number[],
    train: [] as number[],
    bytes: 0,
  };
});

const newest = tensor(
  Array.from({ length: ROWS }, (_, i) => i),
  [ROWS, 1],
  "int64",
);
const sequences = Array.from({ length: ROWS }, (_, row) => ({
  ids: Array.from({ length: LENGTH }, (_, i) => (7 * row + 13 * i) % 512),
  from: 1,
}));
const median = (xs: number[]): number => [...xs].sort((a, b) => a - b)[Math.floor(xs.length / 2)] ?? Number.NaN;
const timed = (body: () => void): number => {
  const start = performance.now();
  body();
  return performance.now() - start;
};

for (let round = 0; round <= ROUNDS; round++) {
  for (const each of cases) {
    const { model, optimizer } = each;
    const release = model.lora?.hold();
    const decode = timed(() => {
      for (let i = 0; i < 10; i++) noGrad(() => scope(() => void model.logits(model.forward(newest))));
    });
    release?.();
    const train = timed(() => {
      scope(() => {
        backwardTokens(model, packBatch(sequences, model), (logps) => ops.fullLike(logps, -1e-3));
      });
      each.bytes = [...model.parameters().values()].reduce((sum, p) => sum + (p.grad?.numel ?? 0) * 4, 0);
      optimizer.step(1e-4);
      optimizer.zeroGrad();
    });
    if (round === 0) continue;
    each.decode.push(decode / 10);
    each.train.push(train);
  }
}

const [all] = cases;
const ratio = (key: "decode" | "train", each: (typeof cases)[number]) => {
  const ms = median(each[key]);
  return `${ms.toFixed(1)} ms (× ${(ms / median(all![key])).toFixed(2)})`;
};
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
console.log(
  formatTable(
    ["trained", `forward of ${ROWS} × 1`, `update on ${ROWS} × ${LENGTH}`, "weights", "gradients and moments"],
    cases.map((each) => [
      each.name,
      ratio("decode", each),
      ratio("train", each),
      megabytes([...each.model.weights.values()].reduce((sum, w) => sum + w.numel * 4, 0)),
      megabytes(3 * each.bytes),
    ]),
  ),
);
