/** The commands as functions: recipes in code, rewards as functions. */
import { runGrpo, type TrainOutcome } from "./grpo/run.js";
import { type GrpoRecipe, resolveGrpoRecipe, resolveSftRecipe, type SftRecipe } from "./recipe/index.js";
import { inCodeSpec } from "./rewards/in-code.js";
import type { UserBatchReward, UserReward } from "./rewards/index.js";
import { runSft, type SftOutcome } from "./sft/index.js";

/** Any keys of a recipe (docs/recipe.md); `reward_funcs` may hold functions beside names. */
export type TrainOptions = Partial<Omit<GrpoRecipe, "reward_funcs">> & {
  reward_funcs?: readonly (string | UserReward | UserBatchReward)[];
  /** Called with every line of the log; default: stderr. */
  log?: (line: string) => void;
};

export type SftOptions = Partial<SftRecipe> & { log?: (line: string) => void };

const toStderr = (line: string): void => void process.stderr.write(`${line}\n`);

/**
 * Trains a model with GRPO. The same call goes on where an earlier one was stopped.
 * @throws UserError for what you can mend, in one line
 */
export async function train({ log = toStderr, reward_funcs, ...keys }: TrainOptions): Promise<TrainOutcome> {
  const functions = Object.fromEntries(
    (reward_funcs ?? []).flatMap((reward) => (typeof reward === "string" ? [] : [[reward.name, reward]])),
  );
  const specs = reward_funcs?.map((reward) => (typeof reward === "string" ? reward : inCodeSpec(reward)));
  const { recipe, notes } = resolveGrpoRecipe({ ...keys, ...(specs && { reward_funcs: specs }) }, "train()");
  for (const note of notes) log(`note: ${note}`);
  return runGrpo(recipe, log, functions);
}

/** Fine-tunes a model on worked examples. The same call goes on where an earlier one was stopped. */
export async function sft({ log = toStderr, ...keys }: SftOptions): Promise<SftOutcome> {
  return runSft(resolveSftRecipe(keys, "sft()").recipe, log);
}
