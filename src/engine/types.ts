/** How tokens are drawn; the names and meanings of vLLM and transformers. */
export interface SamplingParams {
  /** Divides the logits; 0 is greedy. */
  temperature: number;
  /** Keep the smallest set of tokens whose probability reaches this; 1 is off. */
  topP: number;
  /** Keep this many likeliest tokens; 0 is off. */
  topK: number;
  /** Keep tokens at least this fraction as likely as the likeliest; 0 is off. */
  minP: number;
  /** Logits of tokens already seen (prompt included) are divided (if positive) or multiplied by this; 1 is off. */
  repetitionPenalty: number;
  /** Longest completion, in tokens, the end token included. */
  maxTokens: number;
  /** End tokens are not drawn before this many tokens; 0 is off. */
  minTokens: number;
  /** Texts that end a completion; they are cut from its text, their tokens stay in `ids`. */
  stop: readonly string[];
  /** Tokens that end a completion beside the model's own end tokens; they stay in `ids`. */
  stopTokenIds: readonly number[];
  /** Seeds libtorch's generator before the first draw; undefined goes on from its state. */
  seed?: number | undefined;
  /** Draw even the end token like any other and never stop at it: for benchmarks of fixed length. */
  ignoreEos: boolean;
}

export const DEFAULT_SAMPLING: SamplingParams = {
  temperature: 1,
  topP: 1,
  topK: 0,
  minP: 0,
  repetitionPenalty: 1,
  maxTokens: 256,
  minTokens: 0,
  stop: [],
  stopTokenIds: [],
  ignoreEos: false,
};

/** `eos`: an end token; `stop`: a stop string; `length`: maxTokens or the model's context reached. */
export type StopReason = "eos" | "stop" | "length";

export interface Completion {
  /** Token ids, the end token included. */
  ids: number[];
  /** Without special tokens and without the stop string. */
  text: string;
  /** Log-probability of each token under the distribution it was drawn from (temperature, top-p, … applied). */
  samplingLogprobs: number[];
  /** Log-probability of each token under the model itself: temperature 1, nothing cut. */
  logprobs: number[];
  stopReason: StopReason;
}

/** Called for every token as it is drawn: which prompt, which of its completions, the token. */
export type OnToken = (prompt: number, completion: number, id: number) => void;
