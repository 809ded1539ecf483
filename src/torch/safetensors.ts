import fs from "node:fs";
import path from "node:path";
import { UserError } from "../errors.js";
import { readTextFile } from "../files/regular.js";
import { ITEM_BYTES } from "./dtype.js";
import * as ops from "./ops.generated.js";
import { readHeader, type TensorEntry } from "./safetensors-header.js";
import { scope } from "./scope.js";
import type { Tensor } from "./tensor.js";

export { readHeader, type SafetensorsHeader, type TensorEntry } from "./safetensors-header.js";
export { type SaveOptions, saveSafetensors } from "./safetensors-save.js";

/** Names of a Hugging Face model folder. */
export const WEIGHTS_FILE = "model.safetensors";
export const INDEX_FILE = "model.safetensors.index.json";

export interface LoadedTensors {
  tensors: Map<string, Tensor>;
  /** The file's `__metadata__`; of several shards the first one's, which transformers writes alike in all. */
  metadata: Record<string, string>;
}

/**
 * Loads a safetensors file, a sharded model's index, or a model folder with either.
 *
 * The tensors (CPU) are views into a private memory map: nothing is read before it is used, pages are shared with
 * other processes, and writing to a tensor leaves the file alone. The map lives as long as one of its tensors.
 * Tensors at an offset that their dtype cannot be read from are copied.
 * @throws UserError if a file is missing or malformed: which one, which tensor and how
 */
export function loadSafetensors(source: string): LoadedTensors {
  const file = findFile(source);
  return file.endsWith(".json") ? loadSharded(file) : loadFile(file);
}

function findFile(source: string): string {
  const stats = fs.statSync(source, { throwIfNoEntry: false });
  if (stats === undefined) throw new UserError(`${source} does not exist`);
  if (!stats.isDirectory()) return source;
  const found = [WEIGHTS_FILE, INDEX_FILE].map((name) => path.join(source, name)).find((file) => fs.existsSync(file));
  if (found === undefined) throw new UserError(`${source} holds no weights: no ${WEIGHTS_FILE} and no ${INDEX_FILE}`);
  return found;
}

function loadFile(file: string, wanted?: ReadonlySet<string>, shardOf?: ReadonlyMap<string, string>): LoadedTensors {
  const header = readHeader(file);
  const missing = [...(wanted ?? [])].find((name) => !header.entries.has(name));
  if (missing !== undefined)
    throw new UserError(`${file} does not hold tensor '${missing}', which the index puts there`);
  const elsewhere = wanted && [...header.entries.keys()].find((name) => !wanted.has(name) && shardOf?.has(name));
  if (elsewhere !== undefined)
    throw new UserError(
      `${file} holds tensor '${elsewhere}', which the index puts into ${shardOf?.get(elsewhere)}: which one counts?`,
    );
  const chosen = [...header.entries].filter(([name]) => wanted?.has(name) ?? true);
  const tensors = scope(() => {
    // mmap refuses a length of 0, but a valid file has at least its 8 bytes.
    const bytes = ops.fromFile(file, { shared: false, size: header.fileBytes, dtype: "uint8" });
    return new Map(chosen.map(([name, entry]) => [name, viewEntry(bytes, header.dataStart, entry)]));
  });
  return { tensors, metadata: header.metadata };
}

/** The tensor of an entry: a view of the mapped bytes where its alignment allows, else of a copy. */
function viewEntry(bytes: Tensor, dataStart: number, entry: TensorEntry): Tensor {
  const start = dataStart + entry.begin;
  const raw = ops.narrow(bytes, 0, start, entry.end - entry.begin);
  const aligned = start % ITEM_BYTES[entry.dtype] === 0 ? raw : ops.clone(raw);
  return ops.view(ops.viewDtype(aligned, entry.dtype), entry.shape);
}

function loadSharded(indexFile: string): LoadedTensors {
  const namesByShard = readIndex(indexFile);
  const shardOf = new Map(
    [...namesByShard].flatMap(([shard, names]) => [...names].map((name) => [name, shard] as const)),
  );
  const tensors = new Map<string, Tensor>();
  let metadata: Record<string, string> | undefined;
  for (const [shard, names] of namesByShard) {
    const file = path.join(path.dirname(indexFile), shard);
    if (!fs.existsSync(file)) throw new UserError(`${file} is missing, but ${indexFile} lists it: download the shard`);
    const loaded = loadFile(file, names, shardOf);
    for (const [name, tensor] of loaded.tensors) tensors.set(name, tensor);
    metadata ??= loaded.metadata;
  }
  return { tensors, metadata: metadata ?? {} };
}

const isFileName = (name: string): boolean => !["", ".", ".."].includes(name) && path.basename(name) === name;

/** Shard file names to the tensors in them. */
function readIndex(indexFile: string): Map<string, Set<string>> {
  const bad = (what: string) => new UserError(`${indexFile} is not a valid index: ${what}`);
  let weightMap: unknown;
  try {
    weightMap = JSON.parse(readTextFile(indexFile))?.weight_map;
  } catch (error) {
    throw bad(`it is not JSON (${error instanceof Error ? error.message : error})`);
  }
  if (typeof weightMap !== "object" || weightMap === null) throw bad("it has no weight_map");
  const shards = new Map<string, Set<string>>();
  for (const [name, shard] of Object.entries(weightMap)) {
    if (typeof shard !== "string" || !isFileName(shard)) {
      throw bad(`tensor '${name}' is in ${JSON.stringify(shard)}, which is not a file name`);
    }
    const names = shards.get(shard) ?? new Set();
    shards.set(shard, names.add(name));
  }
  return shards;
}
