/** The correction's ratios at their extremes; golden values of ordinary ones are in losses.test.ts. */
import { expect, test } from "vitest";
import { correctionRatio } from "../../src/grpo/losses/correction.js";
import type { CorrectionMode } from "../../src/grpo/losses/types.js";
import { scope, tensor } from "../../src/torch/index.js";

const OLD = [-1, -1, -1, -1];
/** e^199 and e^−199 are beyond float32 in both directions. */
const SAMPLING = [-200, -1, 198, -1 - Math.log(2)];

test.each<[CorrectionMode, number[]]>([
  ["token_mask", [0, 1, 0, 2]],
  ["token_truncate", [3, 1, 0, 2]],
  ["sequence_mask", [0, 0, 0, 0]],
])("%s of an infinite ratio is a number", (mode, expected) => {
  const ratios = scope(() => {
    const index = { sequence_T: tensor([0, 0, 1, 1], [4], "int64"), lengths: [2, 2] };
    return correctionRatio(tensor(OLD), tensor(SAMPLING), index, {
      vllm_importance_sampling_correction: true,
      vllm_importance_sampling_mode: mode,
      vllm_importance_sampling_clip_max: 3,
      vllm_importance_sampling_clip_min: mode.endsWith("mask") ? 0.5 : null,
    }).toArray();
  });
  ratios.forEach((ratio, i) => {
    expect(ratio).toBeCloseTo(expected[i]!, 5);
  });
});
