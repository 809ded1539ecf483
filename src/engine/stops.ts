import { StreamDecoder } from "../text/index.js";
import type { Tokenizer } from "../text/types.js";
import type { Sequence } from "./sequence.js";
import type { OnToken, SamplingParams } from "./types.js";

export interface StopRules {
  tokenizer: Tokenizer;
  params: SamplingParams;
  eos: ReadonlySet<number>;
  /** The model's context, in tokens. */
  maxPositions: number;
  onToken?: OnToken | undefined;
}

/** Takes down what was drawn and ends the sequences that are done: at an end token, a stop string, or for their length. */
export class Recorder {
  readonly #decoders = new Map<Sequence, StreamDecoder>();

  constructor(readonly rules: StopRules) {}

  record(sequence: Sequence, id: number, samplingLogprob: number, logprob: number): void {
    sequence.append(id, samplingLogprob, logprob);
    this.rules.onToken?.(sequence.group.prompt, sequence.index, id);
    const { params, eos, maxPositions, tokenizer } = this.rules;
    if (params.stop.length > 0) this.#checkStrings(sequence, id);
    if (!sequence.stopReason) {
      if (eos.has(id)) sequence.stopReason = "eos";
      else if (sequence.ids.length >= params.maxTokens || sequence.length >= maxPositions)
        sequence.stopReason = "length";
      if (sequence.stopReason) sequence.text = tokenizer.decode(sequence.ids);
    }
    if (sequence.stopReason) this.#decoders.delete(sequence);
  }

  #checkStrings(sequence: Sequence, id: number): void {
    const { tokenizer, params } = this.rules;
    const decoder = this.#decoders.get(sequence) ?? new StreamDecoder(tokenizer);
    this.#decoders.set(sequence, decoder);
    const before = sequence.text.length;
    sequence.text += decoder.push(id);
    // A stop string may have begun in earlier text: look back by the longest one.
    const from = Math.max(0, before - Math.max(...params.stop.map((s) => s.length)) + 1);
    const ends = params.stop.map((s) => sequence.text.indexOf(s, from)).filter((at) => at >= 0);
    if (ends.length === 0) return;
    sequence.stopReason = "stop";
    sequence.text = sequence.text.slice(0, Math.min(...ends));
  }
}
