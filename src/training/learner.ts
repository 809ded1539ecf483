import fs from "node:fs";
import path from "node:path";
import { UserError } from "../errors.js";
import type { CausalLM } from "../model/index.js";
import type { GrpoRecipe, SftRecipe } from "../recipe/index.js";
import { AdamW, clipGradNorm, getRngState, setRngState } from "../torch/index.js";
import { loadSafetensors, saveSafetensors } from "../torch/safetensors.js";
import { makeSchedule, type Schedule, warmupStepsOf } from "../torch/schedules.js";
import { MOMENTS } from "./precision.js";

/** The recipe's keys that say how weights move. */
export type OptimizerKeys = Pick<
  GrpoRecipe & SftRecipe,
  | "learning_rate"
  | "lr_scheduler_type"
  | "lr_scheduler_kwargs"
  | "warmup_ratio"
  | "warmup_steps"
  | "max_grad_norm"
  | "weight_decay"
  | "adam_beta1"
  | "adam_beta2"
  | "adam_epsilon"
  | "optim"
  | "master_weights"
  | "seed"
>;

export interface UpdateMetrics {
  /** Of this update. */
  learning_rate: number;
  /** Before clipping. */
  grad_norm: number;
}

/** Loss or gradient became NaN or infinite: the run stops before the weights are touched. */
export class NonFiniteError extends UserError {
  override name = "NonFiniteError";
}

const OPTIMIZER_FILE = "optimizer.safetensors";

/** A model with what moves its weights: gradients in `.grad` → clip → schedule → AdamW. GRPO and SFT share it. */
export class Learner {
  readonly optimizer: AdamW;
  readonly #schedule: Schedule;

  constructor(
    readonly model: CausalLM,
    private readonly keys: OptimizerKeys,
    totalSteps: number,
  ) {
    model.requireGrad(true);
    this.optimizer = new AdamW(model.parameters(), {
      betas: [keys.adam_beta1, keys.adam_beta2],
      eps: keys.adam_epsilon,
      weightDecay: keys.weight_decay,
      masterWeights: keys.master_weights,
      moments: MOMENTS[keys.optim],
      seed: keys.seed,
    });
    this.#schedule = scheduleOf(keys, totalSteps);
  }

  /** One optimizer step, the one after `stepsDone`, from the accumulated gradients, which it clears. Throws NonFiniteError. */
  update(stepsDone: number): UpdateMetrics {
    const { max_grad_norm } = this.keys;
    const limit = max_grad_norm === 0 ? Number.POSITIVE_INFINITY : max_grad_norm;
    const grad_norm = clipGradNorm(this.model.parameters().values(), limit);
    if (!Number.isFinite(grad_norm)) throw new NonFiniteError(`the gradient of step ${stepsDone + 1} is ${grad_norm}`);
    const learning_rate = this.#schedule(stepsDone);
    this.optimizer.step(learning_rate);
    this.optimizer.zeroGrad();
    return { learning_rate, grad_norm };
  }

  /** Writes the optimizer's state into a checkpoint's folder; the weights are saved as a model. */
  save(folder: string): void {
    saveSafetensors(path.join(folder, OPTIMIZER_FILE), this.optimizer.state());
  }

  /** @throws UserError if the checkpoint has none (save_only_model) or one of another model */
  load(folder: string): void {
    const file = path.join(folder, OPTIMIZER_FILE);
    if (!fs.existsSync(file)) {
      throw new UserError(
        `${folder} holds no optimizer state (save_only_model): a run cannot go on from it, a new one can start: --model_name_or_path ${folder} and another --output_dir`,
      );
    }
    const { tensors } = loadSafetensors(file);
    this.optimizer.load(tensors);
    for (const tensor of tensors.values()) tensor.dispose();
  }
}

function scheduleOf(keys: OptimizerKeys, totalSteps: number): Schedule {
  const { min_lr, min_lr_rate } = keys.lr_scheduler_kwargs;
  return makeSchedule(keys.lr_scheduler_type, {
    lr: keys.learning_rate,
    totalSteps,
    warmupSteps: warmupSteps(keys, totalSteps),
    ...(min_lr === undefined ? {} : { minLr: min_lr }),
    ...(min_lr_rate === undefined ? {} : { minLrRate: min_lr_rate }),
  });
}

function warmupSteps({ warmup_steps, warmup_ratio }: OptimizerKeys, totalSteps: number): number {
  if (warmup_steps >= 1) return warmup_steps;
  return warmupStepsOf(warmup_steps > 0 ? warmup_steps : warmup_ratio, totalSteps);
}

/** The random state of sampling, as a checkpoint holds it. */
export interface RngState {
  cpu: Uint8Array;
  /** Of the GPU the model is on, if it is on one. */
  device?: Uint8Array;
}

export function saveRng(device: string): RngState {
  return device === "cpu" ? { cpu: getRngState() } : { cpu: getRngState(), device: getRngState(device) };
}

export function restoreRng(state: RngState, device: string): void {
  setRngState(state.cpu);
  if (state.device && device !== "cpu") setRngState(state.device, device);
}
