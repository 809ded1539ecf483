import type { CausalLM } from "../model/index.js";
import type { Tokenizer } from "../text/types.js";
import { cudaCompiled, isCuda } from "../torch/cuda.js";
import { PagedRun, pagedSupports } from "./paged-run.js";
import { Run } from "./run.js";
import type { Scheduler } from "./scheduler.js";
import type { OnToken, SamplingParams } from "./types.js";

/** What one `generate` call runs with: on a GPU the paged cache and captured steps, where they know all that is asked for. */
export function newRun(
  model: CausalLM,
  tokenizer: Tokenizer,
  params: SamplingParams,
  scheduler: Scheduler,
  onToken: OnToken | undefined,
  sizes: { maxRows: number; longestPrompt: number },
): Run | PagedRun {
  return isCuda(model.device) && cudaCompiled() && pagedSupports(params)
    ? new PagedRun(model, tokenizer, params, scheduler, onToken, sizes)
    : new Run(model, tokenizer, params, scheduler, onToken);
}
