import fs from "node:fs";
import path from "node:path";
import type { z } from "zod";
import { UserError } from "../errors.js";
import { assertWritableFolder, discard } from "../files/disk.js";
import { saveModel } from "../model/index.js";
import type { GrpoRecipe } from "../recipe/index.js";
import {
  type Checkpoint,
  cleanRunFolder,
  latestCheckpoint,
  listCheckpoints,
  openCheckpoint,
  saveCheckpoint,
} from "../run/checkpoint.js";
import { acquireRunLock, type RunLock } from "../run/lock.js";
import { METRICS_FILE, MetricsLog } from "../run/metrics.js";
import { loadTrainerState, saveTrainerState } from "../run/state.js";
import { type Interrupt, watchInterrupt } from "../terminal/interrupt.js";
import type { Best } from "./best-model.js";
import { isDue } from "./intervals.js";
import type { Learner } from "./learner.js";
import { type Began, changesBetween } from "./resume.js";
import type { Companions } from "./template.js";

/** The recipe's keys that say where a run lives and when it saves. */
export type RunKeys = Pick<
  GrpoRecipe,
  | "output_dir"
  | "overwrite_output_dir"
  | "resume_from_checkpoint"
  | "save_strategy"
  | "save_steps"
  | "save_total_limit"
  | "save_only_model"
>;

/** What every trainer's state has; what it began with tells whether a resumed run is still the same run. */
export interface BaseState extends Partial<Began> {
  step: number;
  /** null: no evaluation yet; undefined: none is asked for. */
  best?: Best | null;
}

/**
 * A run folder opened for training: locked, cleaned of what killed runs left, with its last checkpoint found.
 * The same command opens it again where it stopped.
 */
export class Session<State extends BaseState> {
  readonly metrics: MetricsLog;
  readonly interrupt: Interrupt;
  readonly #lock: RunLock;

  private constructor(
    readonly keys: RunKeys,
    /** Where to go on from; undefined at the start of a run. */
    readonly checkpoint: Checkpoint | undefined,
    readonly state: State | undefined,
    lock: RunLock,
    log: (line: string) => void,
  ) {
    this.#lock = lock;
    // A run that starts has no row yet, not even of step 0 (eval_on_start).
    this.metrics = MetricsLog.open(path.join(keys.output_dir, METRICS_FILE), {
      resumeAtStep: checkpoint?.step ?? -1,
      beforeWrite: this.assertHeld,
    });
    this.interrupt = watchInterrupt((signal) =>
      log(`${signal}: finishing this step, then saving; press Ctrl-C again to leave at once`),
    );
  }

  /**
   * @param began what a checkpoint of this run is compared with, and keeps
   * @throws UserError if the folder cannot be written, is in use, or holds a run of another recipe
   */
  static open<S extends BaseState>(
    keys: RunKeys,
    began: Began,
    log: (line: string) => void,
    shape: z.ZodType,
  ): Session<S> {
    assertWritableFolder(keys.output_dir);
    const lock = acquireRunLock(keys.output_dir, { log });
    try {
      cleanRunFolder(keys.output_dir);
      const checkpoint = findCheckpoint(keys, log);
      const loaded = checkpoint && loadTrainerState<S>(checkpoint.path, shape);
      const state = loaded && { ...loaded, ...began };
      const changes = changesBetween({ recipe: loaded?.recipe ?? began.recipe, rewards: loaded?.rewards }, began);
      if (state && changes.refused.length > 0) {
        // A checkpoint that was named is not to be deleted.
        const keep = !keys.overwrite_output_dir || typeof keys.resume_from_checkpoint === "string";
        if (keep) throw new UserError(otherRecipe(keys.output_dir, changes.refused));
        startAnew(keys.output_dir);
        return new Session<S>(keys, undefined, undefined, lock, log);
      }
      if (state && changes.noted.length > 0)
        log(`from here on not bit for bit what it would have been: ${changes.noted.join("; ")}`);
      return new Session(keys, checkpoint, state, lock, log);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Before anything is written: throws a UserError if another run has the folder now (run/lock.ts). */
  readonly assertHeld = (): void => this.#lock.assertHeld();

  /** Whether the schedule asks for a checkpoint after `step` of `total`: every save_steps, at the end, and on Ctrl-C. */
  savesAt(step: number, total: number): boolean {
    if (this.interrupt.stopRequested) return true;
    if (this.keys.save_strategy === "no") return false;
    return step === total || (this.keys.save_strategy === "steps" && isDue(step, this.keys.save_steps, total));
  }

  /** Writes checkpoint-<step>: the model in Hugging Face layout, optimizer, trainer state, and what `extra` adds. */
  async save(
    learner: Learner,
    state: State,
    companions: Companions,
    extra?: (folder: string) => void,
  ): Promise<Checkpoint> {
    this.assertHeld();
    this.metrics.sync();
    const keep = this.keys.save_total_limit;
    const write = (folder: string) => {
      saveModel(learner.model, folder, companions);
      if (!this.keys.save_only_model) learner.save(folder);
      saveTrainerState(folder, state);
      extra?.(folder);
    };
    const best = state.best?.run === undefined ? state.best?.step : undefined;
    return saveCheckpoint(this.keys.output_dir, state.step, write, { keep: keep ?? undefined, best });
  }

  close(): void {
    this.interrupt.dispose();
    this.metrics.close();
    this.#lock.release();
  }
}

/** @throws UserError when the run would overwrite or delete the model it starts from: output_dir is its folder, or holds it */
export function assertNotSource(output_dir: string, source: string): void {
  if (!fs.existsSync(output_dir)) return;
  const way = path.relative(fs.realpathSync(output_dir), fs.realpathSync(source));
  if (way === "") {
    throw new UserError(`output_dir ${output_dir} is the model's own folder: choose another, it would be overwritten`);
  }
  if (way === ".." || way.startsWith(`..${path.sep}`) || path.isAbsolute(way)) return;
  throw new UserError(
    `the model ${source} lies in output_dir ${output_dir}: choose another output_dir, or go on from it with --resume_from_checkpoint`,
  );
}

function findCheckpoint(keys: RunKeys, log: (line: string) => void): Checkpoint | undefined {
  const from = keys.resume_from_checkpoint;
  if (from === false) {
    if (listCheckpoints(keys.output_dir).length > 0 && !keys.overwrite_output_dir) {
      throw new UserError(
        `${keys.output_dir} holds checkpoints, and resume_from_checkpoint is false: choose another --output_dir, or replace them with --overwrite_output_dir true`,
      );
    }
    startAnew(keys.output_dir);
    return undefined;
  }
  if (typeof from === "string") return openCheckpoint(from);
  return latestCheckpoint(keys.output_dir, (problem) => log(`warning: ${problem}`));
}

/** Removes the checkpoints of the run that is overwritten: the next resume must not find them. */
function startAnew(dir: string): void {
  for (const checkpoint of listCheckpoints(dir)) discard(checkpoint.path);
}

function otherRecipe(dir: string, changes: readonly string[]): string {
  return `${dir} holds a run of another recipe (${changes.join("; ")}): choose another --output_dir, or start anew with --overwrite_output_dir true`;
}
