/**
 * Where each weight of a checkpoint lives in memory. The products that share an input are kept as one matrix (q, k, v; gate, up):
 * one operator instead of three. A Slot is one parameter of ours and the Hugging Face weights it is made of, stacked by rows.
 */
import type { ModelConfig } from "./config.js";

export interface Piece {
  /** Hugging Face's name, e.g. `model.layers.0.self_attn.q_proj.weight`. */
  name: string;
  rows: number;
}

export interface Slot {
  /** Our name: the piece's own when there is one, else `…qkv_proj.weight`, `…gate_up_proj.bias`, … */
  name: string;
  pieces: Piece[];
  /** Columns of a matrix, undefined for a vector. */
  columns: number | undefined;
}

export const EMBEDDING = "model.embed_tokens.weight";
export const FINAL_NORM = "model.norm.weight";
export const HEAD = "lm_head.weight";

/** All parameters in the order of the forward pass. */
export function slotsOf(config: ModelConfig): Slot[] {
  const slots = [single(EMBEDDING, config.vocabSize, config.hiddenSize)];
  for (let layer = 0; layer < config.layers; layer++) slots.push(...layerSlots(config, `model.layers.${layer}.`));
  slots.push(single(FINAL_NORM, config.hiddenSize));
  if (!config.tieWordEmbeddings) slots.push(single(HEAD, config.vocabSize, config.hiddenSize));
  return slots;
}

function layerSlots(config: ModelConfig, prefix: string): Slot[] {
  const { hiddenSize: hidden, intermediateSize: inner, headDim, norms } = config;
  const [qRows, kvRows] = [config.heads * headDim, config.kvHeads * headDim];
  const attention = `${prefix}self_attn.`;
  const qkv: [string, number][] = [
    [`${attention}q_proj`, qRows],
    [`${attention}k_proj`, kvRows],
    [`${attention}v_proj`, kvRows],
  ];
  const gateUp: [string, number][] = [
    [`${prefix}mlp.gate_proj`, inner],
    [`${prefix}mlp.up_proj`, inner],
  ];
  const stacked = (name: string, parts: [string, number][]): [string, number][] =>
    config.stackedFiles ? [[name, parts.reduce((sum, [, rows]) => sum + rows, 0)]] : parts;
  const [qkvName, gateUpName] = [`${attention}qkv_proj`, `${prefix}mlp.gate_up_proj`];
  const norm = (name: string | undefined) => (name === undefined ? [] : [single(`${prefix}${name}.weight`, hidden)]);
  const whole = config.qkNorm === "whole";
  const headNorms = config.qkNorm
    ? [
        single(`${attention}q_norm.weight`, whole ? qRows : headDim),
        single(`${attention}k_norm.weight`, whole ? kvRows : headDim),
      ]
    : [];
  return [
    ...norm(norms.beforeAttention),
    ...linear(qkvName, stacked(qkvName, qkv), hidden, config.qkvBias),
    ...headNorms,
    ...linear(`${attention}o_proj`, [[`${attention}o_proj`, hidden]], qRows, config.outputBias),
    ...norm(norms.afterAttention),
    ...norm(norms.beforeMlp),
    ...linear(gateUpName, stacked(gateUpName, gateUp), hidden, config.mlpBias),
    ...linear(`${prefix}mlp.down_proj`, [[`${prefix}mlp.down_proj`, hidden]], inner, config.mlpBias),
    ...norm(norms.afterMlp),
  ];
}

function single(name: string, rows: number, columns?: number): Slot {
  return { name, pieces: [{ name, rows }], columns };
}

function linear(name: string, parts: [string, number][], columns: number, bias: boolean): Slot[] {
  const slot = (kind: string, width: number | undefined): Slot => ({
    name: `${name}.${kind}`,
    pieces: parts.map(([part, rows]) => ({ name: `${part}.${kind}`, rows })),
    columns: width,
  });
  return bias ? [slot("weight", columns), slot("bias", undefined)] : [slot("weight", columns)];
}
