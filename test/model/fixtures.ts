/** The golden checkpoints of test/golden/make_models.py, and the naive log-probabilities they are compared with. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CausalLM } from "../../src/model/index.js";
import { noGrad, scope, type Tensor, tensor } from "../../src/torch/index.js";

export interface Golden {
  sequences: number[][];
  logprobs: number[][];
  entropy: number[][];
  logprobs_bf16?: number[][];
  /** By Hugging Face name: L2 norm of the gradient g, and Σ gᵢ sin i. */
  grads: Record<string, [number, number]>;
  greedy: number[];
}

const ROOT = fileURLToPath(new URL("../fixtures/models/", import.meta.url));

export const fixtureNames = readdirSync(ROOT);
export const fixtureDir = (name: string): string => ROOT + name;
export const golden = (name: string): Golden => JSON.parse(readFileSync(`${ROOT}${name}/golden.json`, "utf8"));

export const idsOf = (ids: readonly number[]): Tensor => tensor([...ids], [ids.length], "int64");

/** log p(ids[t+1] | ids[..t]) of rows of one length, [B, T-1], from whole logits; differentiable. */
export function naiveLogprobs(model: CausalLM, ids_BT: Tensor, temperature = 1): Tensor {
  const T = ids_BT.size(1);
  const logits = model
    .logits(model.forward(ids_BT))
    .to("float32")
    .div(temperature)
    .narrow(1, 0, T - 1);
  return logits
    .logSoftmax(-1)
    .gather(-1, ids_BT.narrow(1, 1, T - 1).unsqueeze(-1))
    .squeeze(-1);
}

export function logprobsOf(model: CausalLM, ids: readonly number[]): number[] {
  return noGrad(() => scope(() => naiveLogprobs(model, idsOf(ids).unsqueeze(0)).toArray()));
}

export function maxDifference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) throw new Error(`lengths ${a.length} and ${b.length}`);
  return a.reduce((worst, x, i) => Math.max(worst, Math.abs(x - b[i]!)), 0);
}
