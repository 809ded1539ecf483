/** Our side of bench/pass.ts: writes checkpoint and sequences where they are not yet, prints CPU milliseconds as JSON. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { seededRandom } from "../../src/demo/random.js";
import { loadModel, parseConfig, randomModel, saveModel } from "../../src/model/index.js";
import { backwardTokens, packBatch, planBatches, type ScoredSequence } from "../../src/passes/index.js";
import { ops, scope, setNumThreads, type Tensor } from "../../src/torch/index.js";

const [checkpoint = "", hidden = "128", dtype = "float32"] = process.argv.slice(2);
const file = path.join(checkpoint, "sequences.json");
if (!existsSync(file)) write(Number(hidden));

function write(hidden: number): void {
  mkdirSync(checkpoint, { recursive: true });
  const config = {
    architectures: ["Qwen2ForCausalLM"],
    model_type: "qwen2",
    vocab_size: 512,
    hidden_size: hidden,
    intermediate_size: 4 * hidden,
    num_hidden_layers: 4,
    num_attention_heads: hidden / 64,
    num_key_value_heads: hidden / 128,
    max_position_embeddings: 1024,
    tie_word_embeddings: true,
    rms_norm_eps: 1e-6,
    rope_theta: 10_000,
    hidden_act: "silu",
  };
  saveModel(randomModel(parseConfig(config, "bench/pass")), checkpoint);
  const random = seededRandom(1);
  const sequences = Array.from({ length: 64 }, () => {
    const length = 12 + Math.max(1, Math.min(256, Math.round(-64 * Math.log(1 - random.next()))));
    return { ids: Array.from({ length }, () => random.integer(3, 500)), from: 12 };
  });
  writeFileSync(file, JSON.stringify(sequences));
}

setNumThreads(1);
const sequences = JSON.parse(readFileSync(file, "utf8")) as ScoredSequence[];
const model = loadModel(checkpoint, { dtype: dtype === "bfloat16" ? "bfloat16" : "float32", copy: true }).requireGrad(
  true,
);
const slope = (logps: Tensor) => ops.fullLike(logps, -1e-3);

function pass(): number {
  const start = process.cpuUsage();
  for (const indices of planBatches(sequences, model, { maxTokens: 2048 })) {
    const part = indices.map((i) => sequences[i]!);
    scope(() => void backwardTokens(model, packBatch(part, model), slope));
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

pass();
const milliseconds = Math.min(pass(), pass(), pass());
process.stdout.write(JSON.stringify({ milliseconds, tokens: sequences.reduce((sum, { ids }) => sum + ids.length, 0) }));
