import type { CausalLM } from "../model/index.js";
import type { Tokenizer } from "../text/types.js";
import { cudaCompiled, isCuda } from "../torch/cuda.js";
import { DenseRunner } from "./dense-runner.js";
import { PagedRunner, pagedSupports } from "./paged/runner.js";
import type { Scheduler } from "./scheduler.js";
import type { OnToken, SamplingParams } from "./types.js";

/** What one `generate` call runs with: on a GPU the paged cache and captured steps, where they know all that is asked for. */
export function chooseRunner(
  model: CausalLM,
  tokenizer: Tokenizer,
  params: SamplingParams,
  scheduler: Scheduler,
  onToken: OnToken | undefined,
  sizes: { maxRows: number; longestPrompt: number },
): DenseRunner | PagedRunner {
  return isCuda(model.device) && cudaCompiled() && pagedSupports(params)
    ? new PagedRunner(model, tokenizer, params, scheduler, onToken, sizes)
    : new DenseRunner(model, tokenizer, params, scheduler, onToken);
}
