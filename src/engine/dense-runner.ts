import { fusedOnCpu } from "../model/attend.js";
import type { CausalLM } from "../model/index.js";
import { StreamDecoder } from "../text/index.js";
import type { Tokenizer } from "../text/types.js";
import { keep, ops, type Tensor, tensor } from "../torch/index.js";
import { decodeAttend, PrefillAttend } from "./attend.js";
import { KvCache, type Prefix } from "./cache.js";
import { type Drawn, sample, tokenMask } from "./sampler.js";
import type { Admission, Scheduler } from "./scheduler.js";
import type { Group, Sequence } from "./sequence.js";
import type { OnToken, SamplingParams } from "./types.js";

/** A prompt's keys and values with the logits [P, V] after its last token: all that its completions start from. */
interface Prefill {
  prefix: Prefix;
  logits_PV: Tensor;
}

/** The tensors of one `generate` call, following its scheduler row by row. */
export class DenseRunner {
  readonly #cache: KvCache;
  readonly #eos: ReadonlySet<number>;
  readonly #decoders = new Map<Sequence, StreamDecoder>();
  /** The prefill of a group of which some members wait for a free row. */
  #shared: { group: Group; prefill: Prefill } | null = null;
  /** The repetition penalty's tokens so far, bool [rows, V]. */
  #seen: Tensor | null = null;
  /** The end tokens, bool [1, V]; made when first needed. */
  #ends: Tensor | null = null;

  constructor(
    private readonly model: CausalLM,
    private readonly tokenizer: Tokenizer,
    private readonly params: SamplingParams,
    readonly scheduler: Scheduler,
    private readonly onToken: OnToken | undefined,
  ) {
    const { layers, kvHeads, headDim } = model.config;
    this.#cache = new KvCache({
      layers,
      kvHeads,
      headDim,
      dtype: model.dtype,
      device: model.device,
      fused: fusedOnCpu(model, "decode_attention"),
    });
    this.#eos = new Set(
      params.ignoreEos ? [] : [...tokenizer.eosTokenIds, ...model.config.eosTokenIds, ...params.stopTokenIds],
    );
  }

  /** One token for everything that runs, and the first token of what can start. */
  step(maxPrefillTokens: number): void {
    const running = [...this.scheduler.running];
    const admissions = this.scheduler.admit(maxPrefillTokens);
    if (running.length > 0) this.#decode(running);
    for (const part of this.#prefills(admissions)) this.#start(part.admissions, part.prefill);
    const compacted = this.scheduler.compact();
    if (compacted) this.#compact(compacted.moves, compacted.rows);
  }

  /** Ends everything as it stands. */
  abort(): void {
    for (const sequence of this.scheduler.abort()) sequence.text = this.tokenizer.decode(sequence.ids);
  }

  dispose(): void {
    this.#cache.clear();
    this.#share(null);
    this.#seen?.dispose();
    this.#ends?.dispose();
  }

  #decode(running: readonly Sequence[]): void {
    const device = this.model.device;
    const attend = decodeAttend(this.#cache, device);
    const newest = new BigInt64Array(this.#cache.paddedRows);
    running.forEach((sequence, row) => {
      newest[row] = BigInt(sequence.ids.at(-1)!);
    });
    const hidden_B1D = this.model.forward(tensor(newest, [newest.length, 1]).to(device), attend);
    this.#draw(running, this.model.logits(hidden_B1D.squeeze(1)).narrow(0, 0, running.length), 0);
  }

  /** The admitted groups with their prefills: one kept from before, the others in one pass. */
  #prefills(admissions: readonly Admission[]): { admissions: Admission[]; prefill: Prefill }[] {
    const known = admissions.filter(({ group }) => group === this.#shared?.group);
    const fresh = admissions.filter(({ group }) => group !== this.#shared?.group);
    const out: { admissions: Admission[]; prefill: Prefill }[] = [];
    if (known.length > 0 && this.#shared) out.push({ admissions: known, prefill: this.#shared.prefill });
    if (fresh.length > 0) out.push({ admissions: fresh, prefill: this.#prefill(fresh.map(({ group }) => group)) });
    return out;
  }

  #prefill(groups: readonly Group[]): Prefill {
    const device = this.model.device;
    const lengths = groups.map(({ promptIds }) => promptIds.length);
    const longest = Math.max(...lengths);
    const padded = groups.flatMap(({ promptIds }) => [
      ...promptIds,
      ...Array<number>(longest - promptIds.length).fill(0),
    ]);
    const attend = new PrefillAttend(lengths, device);
    const hidden_PTD = this.model.forward(tensor(padded, [groups.length, longest], "int64").to(device), attend);
    const last = tensor(
      lengths.map((length, p) => p * longest + length - 1),
      [groups.length],
      "int64",
    ).to(device);
    const hidden_PD = hidden_PTD.reshape(groups.length * longest, hidden_PTD.size(-1)).indexSelect(0, last);
    return { prefix: attend.prefix, logits_PV: this.model.logits(hidden_PD) };
  }

  /** Gives each new sequence its copy of its prompt's cache, and its first token. */
  #start(admissions: readonly Admission[], prefill: Prefill): void {
    const known = this.#shared?.prefill === prefill;
    const sequences = admissions.flatMap((admission) => admission.sequences);
    const promptOfRow = admissions.flatMap(({ sequences }, p) => sequences.map(() => p));
    const first = this.#cache.rows;
    this.#cache.append(
      prefill.prefix,
      admissions.map(({ sequences }, prompt) => ({ prompt, count: sequences.length })),
    );
    if (this.params.repetitionPenalty !== 1) this.#markPrompts(sequences);
    const rows = tensor(promptOfRow, [promptOfRow.length], "int64").to(this.model.device);
    this.#draw(sequences, prefill.logits_PV.indexSelect(0, rows), first);
    const last = admissions.at(-1)!;
    if (this.scheduler.hasWaiting(last.group)) {
      if (!known) this.#share({ group: last.group, prefill: onlyLast(prefill) });
    } else if (known) this.#share(null);
    if (!known) disposePrefix(prefill.prefix);
  }

  #share(next: { group: Group; prefill: Prefill } | null): void {
    if (this.#shared) {
      disposePrefix(this.#shared.prefill.prefix);
      this.#shared.prefill.logits_PV.dispose();
    }
    this.#shared = next;
  }

  /** Draws the next token of sequences whose rows start at `first`. */
  #draw(sequences: readonly Sequence[], logits: Tensor, first: number): void {
    const seen = this.#seen ? this.#seen.narrow(0, first, sequences.length) : null;
    const drawn = sample(logits, this.params, seen, this.#banned(sequences));
    if (seen) ops.scatterValue_(seen, 1, drawn.ids.unsqueeze(1), 1);
    this.#record(sequences, drawn);
  }

  /** The end tokens, of the rows that are too short to end: bool [B, V], or [1, V] if all are; null if none is. */
  #banned(sequences: readonly Sequence[]): Tensor | null {
    const short = sequences.map(({ ids }) => ids.length < this.params.minTokens);
    if (!short.includes(true)) return null;
    this.#ends ??= keep(tokenMask([[...this.#eos]], this.model.config.vocabSize).to(this.model.device));
    if (!short.includes(false)) return this.#ends;
    const short_B1 = tensor(Uint8Array.from(short, Number), [short.length, 1], "bool").to(this.model.device);
    return ops.logicalAnd(this.#ends, short_B1);
  }

  #record(sequences: readonly Sequence[], drawn: Drawn): void {
    const ids = drawn.ids.toArray();
    const samplingLogprobs = drawn.samplingLogprobs.toArray();
    const logprobs = drawn.logprobs.toArray();
    sequences.forEach((sequence, i) => {
      sequence.append(ids[i]!, samplingLogprobs[i]!, logprobs[i]!);
      this.onToken?.(sequence.group.prompt, sequence.index, ids[i]!);
      this.#checkStop(sequence, ids[i]!);
    });
  }

  #checkStop(sequence: Sequence, id: number): void {
    const { stop, maxTokens } = this.params;
    if (stop.length > 0) this.#checkStopStrings(sequence, id);
    if (sequence.stopReason) return;
    if (this.#eos.has(id)) sequence.stopReason = "eos";
    else if (sequence.ids.length >= maxTokens || sequence.length >= this.model.config.maxPositions) {
      sequence.stopReason = "length";
    }
    if (sequence.stopReason) sequence.text = this.tokenizer.decode(sequence.ids);
  }

  #checkStopStrings(sequence: Sequence, id: number): void {
    const decoder = this.#decoders.get(sequence) ?? new StreamDecoder(this.tokenizer);
    this.#decoders.set(sequence, decoder);
    const piece = decoder.push(id);
    const before = sequence.text.length;
    sequence.text += piece;
    // A stop string may have begun in earlier text: look back by the longest one.
    const from = Math.max(0, before - Math.max(...this.params.stop.map((s) => s.length)) + 1);
    const ends = this.params.stop.map((s) => sequence.text.indexOf(s, from)).filter((at) => at >= 0);
    if (ends.length === 0) return;
    sequence.stopReason = "stop";
    sequence.text = sequence.text.slice(0, Math.min(...ends));
  }

  #markPrompts(sequences: readonly Sequence[]): void {
    const prompts = sequences.map(({ group }) => group.promptIds);
    const mask = tokenMask(prompts, this.model.config.vocabSize).to(this.model.device);
    const grown = keep(this.#seen ? ops.cat([this.#seen, mask]) : mask);
    this.#seen?.dispose();
    this.#seen = grown;
  }

  #compact(moves: readonly (readonly [from: number, to: number])[], rows: number): void {
    this.#cache.compact(moves, rows);
    for (const sequence of this.#decoders.keys()) if (sequence.stopReason) this.#decoders.delete(sequence);
    if (!this.#seen) return;
    for (const [from, to] of moves) ops.copy_(this.#seen.select(0, to), this.#seen.select(0, from));
    const left = keep(this.#seen.narrow(0, 0, rows));
    this.#seen.dispose();
    this.#seen = left;
  }
}

/** A copy of the last prompt's part that outlives this step. */
function onlyLast({ prefix, logits_PV }: Prefill): Prefill {
  const p = prefix.lengths.length - 1;
  const length = prefix.lengths[p]!;
  const cut = (t: Tensor) => keep(t.narrow(0, p, 1).narrow(2, 0, length).clone());
  return {
    prefix: { keys: prefix.keys.map(cut), values: prefix.values.map(cut), lengths: [length] },
    logits_PV: keep(logits_PV.narrow(0, p, 1).clone()),
  };
}

function disposePrefix(prefix: Prefix): void {
  for (const t of [...prefix.keys, ...prefix.values]) t.dispose();
}
