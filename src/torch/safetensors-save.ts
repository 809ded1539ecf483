import fs from "node:fs";
import path from "node:path";
import { assert, UserError } from "../errors.js";
import { writeFileAtomic } from "../files/atomic.js";
import { ITEM_BYTES } from "./dtype.js";
import { FORMAT_NAMES } from "./safetensors-header.js";
import type { Tensor } from "./tensor.js";

export interface SaveOptions {
  /** `__metadata__`; transformers asks for the default, {format: "pt"}. */
  metadata?: Record<string, string>;
  /** Largest bytes of tensors in one file, Hugging Face's 5 GB by default; a single larger tensor has its own file. */
  maxShardBytes?: number;
}

type Named = [name: string, tensor: Tensor];

/** Files that an earlier save of another size may have left. */
const WEIGHT_FILES = /^model(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?$/;
const DTYPE_ORDER = FORMAT_NAMES.map(([dtype]) => dtype);

/**
 * Saves tensors (any device, any strides) as safetensors, byte for byte as the Python library does.
 * @param target a file (*.safetensors, one file of any size), or a folder: there as model.safetensors, or beyond
 *   `maxShardBytes` as model-0000i-of-0000n.safetensors with an index; weights saved there before are removed
 * @returns the files written
 * @throws UserError if the disk is full or the folder not writable; files there before stay intact
 */
export function saveSafetensors(
  target: string,
  tensors: ReadonlyMap<string, Tensor>,
  options: SaveOptions = {},
): string[] {
  const metadata = options.metadata ?? { format: "pt" };
  if (target.endsWith(".safetensors")) {
    writeFileAtomic(target, encode([...tensors], metadata));
    return [target];
  }
  fs.mkdirSync(target, { recursive: true });
  const shards = splitShards([...tensors], options.maxShardBytes ?? 5e9);
  const names = shards.map((_, i) => shardName(i, shards.length));
  shards.forEach((shard, i) => {
    writeFileAtomic(path.join(target, names[i]), encode(shard, metadata));
  });
  if (shards.length > 1) names.push(writeIndex(target, names, shards));
  removeStale(target, names);
  return names.map((name) => path.join(target, name));
}

function shardName(i: number, count: number): string {
  const five = (n: number) => String(n).padStart(5, "0");
  return count === 1 ? "model.safetensors" : `model-${five(i + 1)}-of-${five(count)}.safetensors`;
}

const bytesOf = (tensor: Tensor): number => tensor.numel * ITEM_BYTES[tensor.dtype];

/** Fills shards in the tensors' order. */
function splitShards(tensors: readonly Named[], maxBytes: number): Named[][] {
  const shards: Named[][] = [[]];
  let filled = 0;
  for (const named of tensors) {
    const bytes = bytesOf(named[1]);
    if (filled + bytes > maxBytes && shards[shards.length - 1].length > 0) {
      shards.push([]);
      filled = 0;
    }
    shards[shards.length - 1].push(named);
    filled += bytes;
  }
  return shards;
}

function writeIndex(folder: string, names: readonly string[], shards: readonly Named[][]): string {
  const placed = shards.flatMap((shard, i) => shard.map(([name]) => [name, names[i]] as const));
  const totalSize = shards.flat().reduce((sum, [, tensor]) => sum + bytesOf(tensor), 0);
  const index = {
    metadata: { total_size: totalSize },
    weight_map: Object.fromEntries(placed.sort(([a], [b]) => compare(a, b))),
  };
  const name = "model.safetensors.index.json";
  writeFileAtomic(path.join(folder, name), `${JSON.stringify(index, null, 2)}\n`);
  return name;
}

function removeStale(folder: string, written: readonly string[]): void {
  for (const name of fs.readdirSync(folder)) {
    if (WEIGHT_FILES.test(name) && !written.includes(name)) fs.rmSync(path.join(folder, name));
  }
}

/** By code point, as Rust and Python compare strings; JavaScript's `<` differs beyond U+FFFF only. */
function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** A file's bytes in pieces: the header, then one tensor after the other (only one is in memory at a time). */
function* encode(tensors: readonly Named[], metadata: Record<string, string>): Generator<Uint8Array> {
  const ordered = [...tensors].sort(
    ([nameA, a], [nameB, b]) => DTYPE_ORDER.indexOf(a.dtype) - DTYPE_ORDER.indexOf(b.dtype) || compare(nameA, nameB),
  );
  yield encodeHeader(ordered, metadata);
  for (const [name, tensor] of ordered) {
    const data = tensor.toTypedArray();
    assert(data.byteLength === bytesOf(tensor), `tensor '${name}' has ${data.byteLength} bytes`);
    yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
}

function encodeHeader(ordered: readonly Named[], metadata: Record<string, string>): Uint8Array {
  let begin = 0;
  // Pairs, joined by hand: JSON.stringify of an object would put names like "0" first.
  const pairs: [string, unknown][] = Object.keys(metadata).length > 0 ? [["__metadata__", metadata]] : [];
  for (const [name, tensor] of ordered) {
    if (name === "__metadata__") throw new UserError("a tensor cannot be saved under the name '__metadata__'");
    const end = begin + bytesOf(tensor);
    const dtype = new Map(FORMAT_NAMES).get(tensor.dtype);
    pairs.push([name, { dtype, shape: tensor.shape, data_offsets: [begin, end] }]);
    begin = end;
  }
  const json = `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
  const body = Buffer.from(json);
  const header = Buffer.alloc(8 + Math.ceil(body.length / 8) * 8, " ");
  header.writeBigUInt64LE(BigInt(header.length - 8));
  header.set(body, 8);
  return header;
}
