import { UserError } from "../errors.js";
import type { CausalLM } from "../model/index.js";
import { orSmallerLater } from "../passes/full-memory.js";
import type { Tokenizer } from "../text/types.js";
import { emptyCacheIfTight, manualSeed, noGrad, scope } from "../torch/index.js";
import { chooseRunner } from "./choose-runner.js";
import { Scheduler } from "./scheduler.js";
import { type Group, Sequence } from "./sequence.js";
import { type Completion, DEFAULT_SAMPLING, type OnToken, type SamplingParams } from "./types.js";

export interface EngineOptions {
  /** Sequences decoded together. */
  maxBatchSize?: number;
  /** Prompt tokens prefilled together, padding not counted. */
  maxPrefillTokens?: number;
}

export interface GenerateOptions extends Partial<SamplingParams> {
  /** Completions per prompt (G). */
  n?: number;
  onToken?: OnToken;
  /** Asked between steps; returning true ends all sequences where they are, as `length`. */
  shouldStop?: () => boolean;
}

/** Continuous batching over one model: prompts in, completions with their log-probabilities out. */
export class Engine {
  readonly #maxBatchSize: number;
  readonly #maxPrefillTokens: number;

  constructor(
    readonly model: CausalLM,
    readonly tokenizer: Tokenizer,
    options: EngineOptions = {},
  ) {
    this.#maxBatchSize = options.maxBatchSize ?? 256;
    this.#maxPrefillTokens = options.maxPrefillTokens ?? 8192;
  }

  /**
   * n completions of each prompt (token ids), in the prompts' order.
   * Reproducible for the same seed and the same call. Throws UserError when a prompt leaves no room in the context.
   */
  async generate(prompts: readonly (readonly number[])[], options: GenerateOptions = {}): Promise<Completion[][]> {
    checkParams({ ...DEFAULT_SAMPLING, ...options });
    prompts.forEach((promptIds, prompt) => {
      this.#checkRoom(newGroup(prompt, promptIds, 1));
    });
    const rows = Math.min(this.#maxBatchSize, prompts.length * (options.n ?? 1));
    const { device } = this.model;
    const attempt = (rows: number) => () => this.#generate(prompts, options, Math.max(1, rows));
    try {
      // Tokens that were passed on cannot be taken back.
      if (options.onToken) return await attempt(rows)();
      const advice = () => samplingAdvice(device, rows);
      return await orSmallerLater({ device, first: attempt(rows), smaller: attempt(rows >> 1), advice });
    } finally {
      emptyCacheIfTight(device);
    }
  }

  async #generate(
    prompts: readonly (readonly number[])[],
    options: GenerateOptions,
    maxRows: number,
  ): Promise<Completion[][]> {
    const { n = 1, onToken, shouldStop, ...given } = options;
    const params = { ...DEFAULT_SAMPLING, ...given };
    if (params.seed !== undefined) manualSeed(params.seed);
    const groups = prompts.map((promptIds, prompt) => newGroup(prompt, promptIds, n));
    const scheduler = new Scheduler(groups, maxRows);
    const sizes = { maxRows, longestPrompt: longest(prompts) };
    const run = chooseRunner(this.model, this.tokenizer, params, scheduler, onToken, sizes);
    const release = this.model.lora?.hold();
    try {
      while (!run.scheduler.done) {
        noGrad(() => scope(() => run.step(this.#maxPrefillTokens)));
        // Native calls block: let timers, signals and streams have their turn.
        await new Promise(setImmediate);
        if (shouldStop?.()) run.abort();
      }
    } finally {
      run.dispose();
      release?.();
    }
    return groups.map((group) => group.sequences.map((sequence) => sequence.finished()));
  }

  #checkRoom({ prompt, promptIds }: Group): void {
    const context = this.model.config.maxPositions;
    if (promptIds.length === 0) throw new UserError(`prompt ${prompt} is empty: give it at least one token`);
    if (promptIds.length >= context) {
      throw new UserError(
        `prompt ${prompt} has ${promptIds.length} tokens, the model's context is ${context}: shorten it`,
      );
    }
    const vocab = this.model.config.vocabSize;
    const alien = promptIds.find((id) => id < 0 || id >= vocab);
    if (alien !== undefined)
      throw new UserError(
        `prompt ${prompt} has token id ${alien}, the model's vocabulary ends at ${vocab - 1}: use the model's own tokenizer`,
      );
  }
}

const samplingAdvice = (device: string, rows: number): string =>
  `the memory of ${device} is full, also with ${rows >> 1} completions sampled together: lower max_completion_length or num_generations, ` +
  "or give the GPU to this run alone";

const longest = (prompts: readonly (readonly number[])[]): number => Math.max(0, ...prompts.map((ids) => ids.length));

function newGroup(prompt: number, promptIds: readonly number[], n: number): Group {
  const group: Group = { prompt, promptIds, sequences: [] };
  for (let index = 0; index < n; index++) group.sequences.push(new Sequence(group, index));
  return group;
}

/** Of one completion; the recipe's bounds (src/recipe/fields/sampling.ts). */
const MOST_TOKENS = 2 ** 20;
const within = (value: number, low: number, high: number): boolean => value >= low && value <= high;

function checkParams(p: SamplingParams): void {
  const ranges: [string, number, boolean, string][] = [
    ["temperature", p.temperature, p.temperature === 0 || within(p.temperature, 0.001, 1000), "0, or 0.001 to 1000"],
    ["top_p", p.topP, p.topP > 0 && p.topP <= 1, "in (0, 1]"],
    ["top_k", p.topK, Number.isInteger(p.topK) && p.topK >= 0, "a whole number ≥ 0"],
    ["min_p", p.minP, p.minP >= 0 && p.minP <= 1, "in [0, 1]"],
    ["repetition_penalty", p.repetitionPenalty, within(p.repetitionPenalty, 0.01, 100), "0.01 to 100"],
    ["min_tokens", p.minTokens, p.minTokens <= p.maxTokens, `at most max_tokens ${p.maxTokens}`],
    [
      "max_tokens",
      p.maxTokens,
      Number.isInteger(p.maxTokens) && within(p.maxTokens, 1, MOST_TOKENS),
      `a whole number, 1 to ${MOST_TOKENS}`,
    ],
  ];
  for (const [name, value, ok, rule] of ranges) if (!ok) throw new UserError(`${name} is ${value}, it must be ${rule}`);
}
