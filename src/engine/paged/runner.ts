import type { CausalLM } from "../../model/index.js";
import type { Tokenizer } from "../../text/types.js";
import { isCuda } from "../../torch/cuda.js";
import { ops, scope, type Tensor, tensor } from "../../torch/index.js";
import { PrefillAttend } from "../attend.js";
import type { Prefix } from "../cache.js";
import { type Drawn, sample } from "../sampler.js";
import type { Admission, Scheduler } from "../scheduler.js";
import type { Sequence } from "../sequence.js";
import { Recorder } from "../stops.js";
import type { OnToken, SamplingParams } from "../types.js";
import { FLASH_BLOCK, type PagedKernel } from "./attend.js";
import { PagedCache } from "./cache.js";
import { bucketOf, DecodeBuffers, Readback } from "./graph-buffers.js";
import { GraphedSteps } from "./graph-step.js";
import { pagedKernel } from "./kernel.js";

export interface PagedOptions {
  /** Sequences decoded together at most. */
  maxRows: number;
  /** Tokens of the longest prompt. */
  longestPrompt: number;
  /** Tokens per block of the cache. Default 256 for FlashAttention, else 16. */
  blockSize?: number;
  kernel?: PagedKernel;
  /** Each row one run of neighbouring blocks, for a kernel without block tables. Default: where the kernel is one. */
  runs?: boolean;
  /** Launch a step before the results of the one before are read. Default: on CUDA. */
  ahead?: boolean;
  /** Capture steps in CUDA graphs. Default: on CUDA. */
  capture?: boolean;
}

/** Whether PagedRunner knows everything these settings ask for. */
export const pagedSupports = (params: SamplingParams): boolean =>
  params.repetitionPenalty === 1 && params.minTokens === 0;

/** A step whose results are on their way. */
interface Launched {
  rows: readonly Sequence[];
  results: Readback;
}

/**
 * The tensors of one `generate` call, as Run has them, made for a GPU: a paged cache, decode steps that are replayed from CUDA graphs and
 * take their input from where the step before left it, and results that are read while the next step runs. A sequence that ends is
 * therefore decoded one token further, which nobody sees. The same draws as Run for the same seed, as long as no step runs ahead of an end.
 */
export class PagedRunner {
  readonly #cache: PagedCache;
  readonly #buffers: DecodeBuffers;
  readonly #steps: GraphedSteps;
  readonly #recorder: Recorder;
  readonly #readbacks: Readback[];
  readonly #ahead: boolean;
  #launched: Launched | null = null;
  /** The rows of the cache are not those the buffers tell of. */
  #stale = true;

  constructor(
    private readonly model: CausalLM,
    tokenizer: Tokenizer,
    private readonly params: SamplingParams,
    readonly scheduler: Scheduler,
    onToken: OnToken | undefined,
    options: PagedOptions,
  ) {
    const { layers, kvHeads, headDim, maxPositions } = model.config;
    const { dtype, device } = model;
    const kernel = options.kernel ?? pagedKernel(device, dtype, model.config);
    // One token more than the longest may be decoded ahead of its end.
    const maxLength = Math.min(options.longestPrompt + params.maxTokens, maxPositions) + 1;
    const blockSize = options.blockSize ?? (kernel === "math" ? 16 : FLASH_BLOCK);
    const runs = options.runs ?? kernel === "flash-runs";
    this.#cache = new PagedCache({ layers, kvHeads, headDim, dtype, device, blockSize, maxLength, runs });
    this.#cache.reserve(options.maxRows);
    this.#buffers = new DecodeBuffers(bucketOf(options.maxRows), this.#cache.width, device);
    const parts = { model, cache: this.#cache, buffers: this.#buffers, kernel, params };
    this.#steps = new GraphedSteps(parts, options.capture);
    const eos = new Set(
      params.ignoreEos ? [] : [...tokenizer.eosTokenIds, ...model.config.eosTokenIds, ...params.stopTokenIds],
    );
    this.#recorder = new Recorder({ tokenizer, params, eos, maxPositions, onToken });
    this.#ahead = options.ahead ?? isCuda(device);
    this.#readbacks = [new Readback(this.#buffers), new Readback(this.#buffers)];
  }

  /** One token for everything that runs, and the first token of what can start. */
  step(maxPrefillTokens: number): void {
    const running = [...this.scheduler.running];
    const admissions = this.scheduler.admit(maxPrefillTokens);
    const before = this.#launched;
    this.#launched = running.length > 0 ? this.#launch(running) : null;
    if (before) this.#collect(before);
    if (!this.#ahead) this.#finish();
    if (admissions.length > 0) this.#start(admissions);
    this.#compact();
  }

  /** Ends everything as it stands. */
  abort(): void {
    const { tokenizer } = this.#recorder.rules;
    for (const sequence of this.scheduler.abort()) sequence.text = tokenizer.decode(sequence.ids);
  }

  dispose(): void {
    this.#steps.dispose();
    this.#cache.clear();
    this.#buffers.dispose();
    for (const results of this.#readbacks) results.dispose();
  }

  #launch(running: readonly Sequence[]): Launched {
    if (this.#cache.extend() || this.#stale) this.#buffers.setTables(this.#cache.tables(this.#buffers.rows));
    this.#stale = false;
    scope(() => ops.uniform_(this.#buffers.uniform.narrow(0, 0, running.length)));
    this.#steps.run(running.length);
    this.#cache.advance();
    const results = this.#readbacks.shift()!;
    this.#readbacks.push(results);
    results.ask();
    return { rows: running, results };
  }

  #finish(): void {
    if (this.#launched) this.#collect(this.#launched);
    this.#launched = null;
  }

  #collect({ rows, results }: Launched): void {
    const [ids, samplingLogprobs, logprobs] = results.read(rows.length);
    rows.forEach((sequence, row) => {
      // It had ended when this step was launched ahead of that.
      if (sequence.stopReason) return;
      this.#recorder.record(sequence, ids[row]!, samplingLogprobs[row]!, logprobs[row]!);
    });
  }

  /** Prompts through the model, their keys and values into the cache, the first token of each completion. */
  #start(admissions: readonly Admission[]): void {
    const { prefix, logits_PV } = prefill(
      this.model,
      admissions.map(({ group }) => group.promptIds),
    );
    const sequences = admissions.flatMap((admission) => admission.sequences);
    const promptOfRow = admissions.flatMap(({ sequences }, p) => sequences.map(() => p));
    const first = this.#cache.rows;
    this.#cache.append(
      prefix,
      admissions.map(({ sequences }, prompt) => ({ prompt, count: sequences.length })),
    );
    this.#stale = true;
    for (const t of [...prefix.keys, ...prefix.values]) t.dispose();
    const rows = tensor(promptOfRow, [promptOfRow.length], "int64").to(this.model.device);
    const drawn = sample(logits_PV.indexSelect(0, rows), this.params, null);
    this.#buffers.setIds(first, drawn.ids);
    this.#recordFirst(sequences, drawn);
  }

  #recordFirst(sequences: readonly Sequence[], drawn: Drawn): void {
    const [ids, samplingLogprobs, logprobs] = [drawn.ids, drawn.samplingLogprobs, drawn.logprobs].map((t) =>
      t.toArray(),
    );
    sequences.forEach((sequence, i) => {
      this.#recorder.record(sequence, ids![i]!, samplingLogprobs![i]!, logprobs![i]!);
    });
  }

  #compact(): void {
    const compacted = this.scheduler.compact();
    if (!compacted) return;
    this.#cache.compact(compacted.moves, compacted.rows);
    if (compacted.moves.length > 0) this.#buffers.moveIds(compacted.moves);
    this.#stale = true;
  }
}

/** Keys and values of prompts, and the logits [P, V] after each one's last token. */
function prefill(model: CausalLM, prompts: readonly (readonly number[])[]): { prefix: Prefix; logits_PV: Tensor } {
  const { device } = model;
  const lengths = prompts.map((ids) => ids.length);
  const longest = Math.max(...lengths);
  const padded = new BigInt64Array(prompts.length * longest);
  prompts.forEach((ids, p) => {
    ids.forEach((id, t) => {
      padded[p * longest + t] = BigInt(id);
    });
  });
  const last = BigInt64Array.from(lengths, (length, p) => BigInt(p * longest + length - 1));
  const attend = new PrefillAttend(lengths, device);
  const hidden_PTD = model.forward(tensor(padded, [prompts.length, longest]).to(device), attend);
  const hidden_PD = hidden_PTD.reshape(-1, hidden_PTD.size(-1)).indexSelect(0, tensor(last).to(device));
  return { prefix: attend.prefix, logits_PV: model.logits(hidden_PD) };
}
