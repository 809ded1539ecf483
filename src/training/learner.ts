import fs from "node:fs";
import path from "node:path";
import { assert, UserError } from "../errors.js";
import { writeFileAtomic } from "../files/atomic.js";
import type { CausalLM } from "../model/index.js";
import type { GrpoRecipe, SftRecipe } from "../recipe/index.js";
import { AdaptiveRate, type AdaptiveState } from "../torch/adaptive-rates.js";
import { AdamW, clipGradNorm, getRngState, setRngState } from "../torch/index.js";
import { loadSafetensors, saveSafetensors } from "../torch/safetensors.js";
import { isAdaptive } from "../torch/schedule-names.js";
import { makeSchedule, type Schedule, warmupStepsOf } from "../torch/schedules.js";
import { greaterIsBetter, metricValue } from "./best-metric.js";
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
  | "metric_for_best_model"
  | "greater_is_better"
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
const SCHEDULER_FILE = "scheduler.json";

/** A model with what moves its weights: gradients in `.grad` → clip → schedule → AdamW. GRPO and SFT share it. */
export class Learner {
  readonly optimizer: AdamW;
  readonly #schedule: Schedule;
  /** A learning rate that follows the evaluations. */
  readonly #adaptive: AdaptiveRate | undefined;

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
    const adaptive = adaptiveOf(keys);
    this.#adaptive = adaptive;
    this.#schedule = adaptive ? () => adaptive.lr : scheduleOf(keys, totalSteps);
  }

  /** Tells a learning rate that follows the evaluations of one. Throws a UserError if it has not the metric asked for. */
  observe(metrics: Readonly<Record<string, number>>): void {
    this.#adaptive?.observe(metricValue(this.keys.metric_for_best_model, metrics));
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
    if (this.#adaptive)
      writeFileAtomic(path.join(folder, SCHEDULER_FILE), `${JSON.stringify(this.#adaptive.state())}\n`);
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
    const state = path.join(folder, SCHEDULER_FILE);
    this.#adaptive?.restore(JSON.parse(fs.readFileSync(state, "utf8")) as AdaptiveState);
  }
}

function adaptiveOf(keys: OptimizerKeys): AdaptiveRate | undefined {
  const { lr_scheduler_type: name, lr_scheduler_kwargs: kwargs } = keys;
  if (!isAdaptive(name)) return undefined;
  const mode = kwargs.mode ?? (greaterIsBetter(keys) ? "max" : "min");
  return new AdaptiveRate(name, keys.learning_rate, { ...kwargs, mode });
}

function scheduleOf(keys: OptimizerKeys, totalSteps: number): Schedule {
  const { lr_scheduler_type: name, lr_scheduler_kwargs: kwargs, learning_rate: lr } = keys;
  assert(!isAdaptive(name), `${name} has no schedule of its own`);
  return makeSchedule(name, { lr, totalSteps, warmupSteps: warmupSteps(keys, totalSteps), kwargs });
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
