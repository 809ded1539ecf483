/**
 * GRPO (Shao et al. 2024, DeepSeekMath) in one file: sample, score, compare within the group, learn, repeat. No critic.
 *
 *     npx tsx examples/grpo-in-one-file.ts [steps]
 *
 * It teaches the demo's small model to do its sums step by step. src/grpo/trainer.ts is the same loop with all that real runs need
 * beside it: packed passes, other losses, checkpoints, resuming, evaluation.
 *
 * Shapes: P prompts a step, G completions of each, T tokens of the longest sequence in a group, V words in the vocabulary.
 */
import { type CausalLM, type Completion, Engine, loadModel, loadTokenizer, verify } from "open-rs";
import { DEMO_BASE, generateProblems, type Problem, testProblems } from "open-rs/demo";
import { AdamW, clipGradNorm, manualSeed, ops, scope, type Tensor, tensor } from "open-rs/torch";

const STEPS = Number(process.argv[2] ?? 60);
const P = 32;
const G = 8;
const LEARNING_RATE = 2e-4;
const EPSILON = 0.2;
const sampling = { temperature: 0.7, maxTokens: 96 };

manualSeed(1);
const tokenizer = loadTokenizer(DEMO_BASE);
const model = loadModel(DEMO_BASE, { dtype: "float32", copy: true }).requireGrad(true);
const engine = new Engine(model, tokenizer);
const optimizer = new AdamW(model.parameters(), { betas: [0.9, 0.99] });
const problems = generateProblems({ split: "train", seed: 1, count: STEPS * P });

const promptOf = ({ problem }: Problem): number[] =>
  tokenizer.encode(tokenizer.applyChatTemplate([{ role: "user", content: problem }], { addGenerationPrompt: true }));

/** 1 for the right answer in a box, and half a point more for having closed the reasoning before it. */
function rewardOf({ text }: Completion, { solution }: Problem): number {
  const format = text.split("\n</think>\n").length === 2 ? 0.5 : 0;
  return format + (verify(solution, text) ? 1 : 0);
}

/** Â = (r − mean) / (std + 1e-4) over the G completions of one prompt: how much better than its siblings a completion is. */
function advantagesOf(rewards_G: readonly number[]): number[] {
  const mean = rewards_G.reduce((sum, r) => sum + r, 0) / G;
  const std = Math.sqrt(rewards_G.reduce((sum, r) => sum + (r - mean) ** 2, 0) / (G - 1));
  return rewards_G.map((r) => (r - mean) / (std + 1e-4));
}

interface Group {
  promptIds: number[];
  completions: Completion[];
  advantages_G: number[];
}

/** −Σ min(ρÂ, clip(ρ, 1 − ε, 1 + ε)Â) over the completions' tokens, ρ being the ratio of today's probability to the sampler's. */
function groupLoss(policy: CausalLM, { promptIds, completions, advantages_G }: Group): Tensor {
  const rows = completions.map(({ ids }) => [...promptIds, ...ids]);
  const T = Math.max(...rows.map((row) => row.length));
  const pad = <X>(row: readonly X[], filler: X): X[] => [...row, ...Array<X>(T - row.length).fill(filler)];
  // What stands at position t of these is about the token at t + 1, which the model predicts at t.
  const about = (values: readonly number[]) => [...Array<number>(promptIds.length - 1).fill(0), ...values];

  const ids_GT = tensor(
    rows.flatMap((row) => pad(row, 0)),
    [G, T],
    "int64",
  );
  const old_GT = tensor(
    completions.flatMap((c) => pad(about(c.samplingLogprobs), 0)),
    [G, T],
  );
  const mask_GT = tensor(
    completions.flatMap((c) => pad(about(c.ids.map(() => 1)), 0)),
    [G, T],
  );
  const advantages_G1 = tensor(advantages_G, [G, 1]);

  const logits_GTV = ops.linear(policy.forward(ids_GT), policy.head_VD).div(sampling.temperature);
  const next_GT1 = ops.roll(ids_GT, [-1], { dims: [1] }).unsqueeze(-1);
  const logps_GT = logits_GTV.logSoftmax(-1).gather(-1, next_GT1).squeeze(-1);

  const ratio_GT = logps_GT.sub(old_GT).mul(mask_GT).exp();
  const clipped_GT = ops.clamp(ratio_GT, { min: 1 - EPSILON, max: 1 + EPSILON });
  const gain_GT = ops.minimum(ratio_GT.mul(advantages_G1), clipped_GT.mul(advantages_G1));
  return gain_GT.mul(mask_GT).sum().neg();
}

/** Share of held-out problems that are answered rightly, greedily. */
async function accuracy(): Promise<number> {
  const held = testProblems();
  const completions = await engine.generate(held.map(promptOf), { ...sampling, temperature: 0 });
  return completions.filter(([completion], i) => verify(held[i]!.solution, completion!.text)).length / held.length;
}

console.log(`before: ${(100 * (await accuracy())).toFixed(1)} % of held-out problems right`);
for (let step = 1; step <= STEPS; step++) {
  // Sample G completions of each prompt.
  const asked = problems.slice((step - 1) * P, step * P);
  const sampled_PG = await engine.generate(asked.map(promptOf), { ...sampling, n: G });

  // Score them, and compare each with its siblings.
  const rewards_PG = sampled_PG.map((completions, p) => completions.map((c) => rewardOf(c, asked[p]!)));
  const groups = sampled_PG.map((completions, p) => ({
    promptIds: promptOf(asked[p]!),
    completions,
    advantages_G: advantagesOf(rewards_PG[p]!),
  }));

  // Learn: what was better than its siblings becomes likelier, token by token. A group of equals teaches nothing.
  const tokens = sampled_PG.flat().reduce((sum, c) => sum + c.ids.length, 0);
  for (const group of groups.filter(({ advantages_G }) => advantages_G.some((a) => a !== 0)))
    scope(() => groupLoss(model, group).div(tokens).backward());
  clipGradNorm(model.parameters().values(), 1);
  optimizer.step(LEARNING_RATE * Math.min(1, step / 6));
  optimizer.zeroGrad();

  const reward = rewards_PG.flat().reduce((sum, r) => sum + r, 0) / (P * G);
  console.log(`step ${step}/${STEPS}  reward ${reward.toFixed(3)} of 1.5  length ${(tokens / (P * G)).toFixed(1)}`);
}
console.log(`after: ${(100 * (await accuracy())).toFixed(1)} % of held-out problems right`);
