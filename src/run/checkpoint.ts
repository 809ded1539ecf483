import fs from "node:fs";
import path from "node:path";
import { assert, UserError } from "../errors.js";
import { fsyncFolder, fsyncTree, TEMPORARY_PREFIX } from "../files/atomic.js";
import { discard, explainDiskError } from "../files/disk.js";
import { findDamage, writeManifest } from "./manifest.js";

/**
 * Checkpoints of a run: `<run>/checkpoint-<step>/`, each complete or absent. A save is written under a temporary name,
 * gets its manifest, is forced to the disk, and only then takes its name; older ones are removed only after that.
 * So a kill, a power cut or a full disk at any moment leaves the last checkpoint loadable.
 */
export interface Checkpoint {
  /** Optimizer steps done. */
  step: number;
  path: string;
}

export interface SaveOptions {
  /** Checkpoints to keep, this one included (TRL's save_total_limit); all by default. */
  keep?: number | undefined;
  /** Step of one that stays beside the last (load_best_model_at_end). */
  best?: number | undefined;
}

const CHECKPOINT = /^checkpoint-(\d+)$/;
/** Where a checkpoint waits while one of the same step takes its name. */
const REPLACED_PREFIX = ".old-";

/** All folders named checkpoint-<step> in a run, oldest first, valid or not. */
export function listCheckpoints(runDir: string): Checkpoint[] {
  if (!fs.existsSync(runDir)) return [];
  return fs
    .readdirSync(runDir)
    .flatMap((name) => {
      const match = CHECKPOINT.exec(name);
      return match === null ? [] : [{ step: Number(match[1]), path: path.join(runDir, name) }];
    })
    .sort((a, b) => a.step - b.step);
}

/**
 * Saves a checkpoint atomically, then removes the oldest beyond `keep`, but not the best.
 * @param write fills the folder it is given: weights, optimizer, trainer state, tokenizer files
 * @throws UserError if the disk is full, read-only, …; nothing of this save is left, the last checkpoint is intact
 */
export async function saveCheckpoint(
  runDir: string,
  step: number,
  write: (folder: string) => Promise<void> | void,
  options: SaveOptions = {},
): Promise<Checkpoint> {
  assert(Number.isInteger(step) && step >= 0, `a checkpoint's step is a whole number, not ${step}`);
  const name = `checkpoint-${step}`;
  const target = path.join(runDir, name);
  const temporary = path.join(runDir, `${TEMPORARY_PREFIX}${name}-${process.pid}`);
  try {
    fs.rmSync(temporary, { recursive: true, force: true });
    fs.mkdirSync(temporary, { recursive: true });
    await write(temporary);
    writeManifest(temporary, step);
    fsyncTree(temporary);
    publish(temporary, target);
  } catch (error) {
    discard(temporary);
    throw explainDiskError(error, `save ${name} in ${runDir}`, runDir);
  }
  prune(runDir, step, options);
  return { step, path: target };
}

/** Gives a finished folder its name. A folder cannot be replaced in one rename, so an old one first steps aside. */
function publish(temporary: string, target: string): void {
  const runDir = path.dirname(target);
  const replaced = path.join(runDir, `${REPLACED_PREFIX}${path.basename(target)}`);
  fs.rmSync(replaced, { recursive: true, force: true });
  if (fs.existsSync(target)) fs.renameSync(target, replaced);
  try {
    fs.renameSync(temporary, target);
  } catch (error) {
    if (fs.existsSync(replaced)) fs.renameSync(replaced, target);
    throw error;
  }
  fsyncFolder(runDir);
  fs.rmSync(replaced, { recursive: true, force: true });
}

/** Removes the oldest checkpoints before `step` beyond `keep`. Later ones belong to another timeline and stay. */
function prune(runDir: string, step: number, { keep = Number.POSITIVE_INFINITY, best }: SaveOptions): void {
  const upToNow = listCheckpoints(runDir).filter((checkpoint) => checkpoint.step <= step);
  const others = upToNow.filter((checkpoint) => checkpoint.step !== step && checkpoint.step !== best);
  // As transformers: the best counts, but one checkpoint beside it stays to go on from.
  const tooMany = Math.max(0, upToNow.length - keep);
  for (const old of others.slice(0, tooMany)) removeCheckpoint(old.path);
}

/** Removes under a temporary name, so that a kill in between never leaves half a folder named checkpoint-…. */
function removeCheckpoint(folder: string): void {
  const doomed = path.join(path.dirname(folder), `${TEMPORARY_PREFIX}removed-${path.basename(folder)}`);
  fs.rmSync(doomed, { recursive: true, force: true });
  fs.renameSync(folder, doomed);
  fs.rmSync(doomed, { recursive: true, force: true });
}

/**
 * Removes what killed saves left behind and finishes interrupted replacements. Call it once at the start of a run,
 * while holding its lock: it takes every temporary name for a leftover.
 */
export function cleanRunFolder(runDir: string): void {
  if (!fs.existsSync(runDir)) return;
  for (const name of fs.readdirSync(runDir)) {
    const entry = path.join(runDir, name);
    if (name.startsWith(TEMPORARY_PREFIX)) fs.rmSync(entry, { recursive: true, force: true });
    if (name.startsWith(`${REPLACED_PREFIX}checkpoint-`)) {
      const target = path.join(runDir, name.slice(REPLACED_PREFIX.length));
      if (fs.existsSync(target)) fs.rmSync(entry, { recursive: true, force: true });
      else fs.renameSync(entry, target);
    }
  }
}

/**
 * The newest checkpoint whose files all match its manifest, or undefined if the run has none at all.
 * @param warn is told of each damaged one that is passed over
 * @throws UserError if there are checkpoints and every one is damaged
 */
export function latestCheckpoint(runDir: string, warn: (message: string) => void): Checkpoint | undefined {
  const problems: string[] = [];
  for (const checkpoint of listCheckpoints(runDir).reverse()) {
    const damage = findDamage(checkpoint.path, checkpoint.step);
    if (damage === undefined) {
      for (const problem of problems) warn(`${problem}; falling back to checkpoint-${checkpoint.step}`);
      return checkpoint;
    }
    problems.push(`checkpoint-${checkpoint.step} is damaged: ${damage}`);
  }
  if (problems.length === 0) return undefined;
  throw new UserError(
    `no checkpoint in ${runDir} can be loaded (${problems.join("; ")}): delete them to start anew or choose another output_dir`,
  );
}

/**
 * A checkpoint the user named (resume_from_checkpoint: DIR).
 * @throws UserError if it is absent or damaged
 */
export function openCheckpoint(folder: string): Checkpoint {
  const match = CHECKPOINT.exec(path.basename(path.resolve(folder)));
  if (match === null) throw new UserError(`${folder} is no checkpoint: expected a folder named checkpoint-<step>`);
  if (!fs.existsSync(folder)) throw new UserError(`the checkpoint ${folder} does not exist`);
  const step = Number(match[1]);
  const damage = findDamage(folder, step);
  if (damage !== undefined) throw new UserError(`the checkpoint ${folder} is damaged: ${damage}`);
  return { step, path: folder };
}
