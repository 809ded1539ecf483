/** Sequences through a model in passes: packed, learnt from or scored, within the memory there is. */
export { type Block, packed } from "./attend-packed.js";
export {
  type BackwardOptions,
  backwardTokens,
  packBatch,
  padBatch,
  planBatches,
  type ScoredSequence,
  scoreTokens,
  type TokenBatch,
} from "./batch.js";
export { backwardHidden, type HeadOptions, type LogpGradient, scoreHidden, type TokenScores } from "./head.js";
