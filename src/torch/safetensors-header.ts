import fs from "node:fs";
import { UserError } from "../errors.js";
import { hasCode } from "../files/disk.js";
import { assertRegularFile } from "../files/regular.js";
import { type DType, ITEM_BYTES } from "./dtype.js";

/**
 * A safetensors file: 8 bytes with the header's length (little endian), the header as JSON, then the tensors' bytes.
 * Format: https://github.com/huggingface/safetensors#format. Its rules are checked here, before anything is mapped.
 */
export interface SafetensorsHeader {
  path: string;
  /** Byte of the file where the tensors begin; offsets count from there. */
  dataStart: number;
  fileBytes: number;
  /** In the order of their bytes. */
  entries: Map<string, TensorEntry>;
  metadata: Record<string, string>;
}

export interface TensorEntry {
  dtype: DType;
  shape: number[];
  /** First byte and the byte after the last, counted from `dataStart`. */
  begin: number;
  end: number;
}

/** Names of the format for our dtypes, in the order in which tensors are written: widest first, so all are aligned. */
export const FORMAT_NAMES: readonly (readonly [DType, string])[] = [
  ["int64", "I64"],
  ["float64", "F64"],
  ["float32", "F32"],
  ["int32", "I32"],
  ["bfloat16", "BF16"],
  ["float16", "F16"],
  ["uint8", "U8"],
  ["bool", "BOOL"],
];
const DTYPES = new Map(FORMAT_NAMES.map(([dtype, name]) => [name, dtype]));

/** The reference implementation's limit: beyond it a file is malformed, whatever its size. */
const MAX_HEADER_BYTES = 100_000_000;

/**
 * Reads and checks the header of a safetensors file.
 * @throws UserError that says what is wrong and with which tensor
 */
export function readHeader(path: string): SafetensorsHeader {
  const { text, fileBytes, dataStart } = readHeaderText(path);
  const json = parseObject(text, path);
  const metadata = readMetadata(json.__metadata__, path);
  const dataBytes = fileBytes - dataStart;
  const unordered = Object.entries(json)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => [name, readEntry(name, value, dataBytes, path)] as const);
  const entries = new Map(unordered.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end));
  checkCoverage(entries, dataBytes, path);
  return { path, dataStart, fileBytes, entries, metadata };
}

function bad(path: string, what: string): UserError {
  return new UserError(`${path} is not a valid safetensors file: ${what}`);
}

function readHeaderText(path: string): { text: string; fileBytes: number; dataStart: number } {
  assertRegularFile(path);
  const fd = open(path);
  try {
    const fileBytes = fs.fstatSync(fd).size;
    const prefix = Buffer.alloc(8);
    if (fs.readSync(fd, prefix, 0, 8, 0) < 8)
      throw bad(path, `it has ${fileBytes} bytes, fewer than the 8 of a length`);
    if (prefix.toString("latin1") === "version ") {
      throw bad(path, "it is a Git LFS pointer; run `git lfs pull` in its folder to get the content");
    }
    const headerBytes = prefix.readBigUInt64LE();
    if (headerBytes > BigInt(fileBytes - 8)) {
      throw bad(path, `its header has ${headerBytes} bytes, more than the ${fileBytes} of the file: is it truncated?`);
    }
    if (headerBytes > MAX_HEADER_BYTES) throw bad(path, `its header has ${headerBytes} bytes, more than 100 MB`);
    const header = Buffer.alloc(Number(headerBytes));
    fs.readSync(fd, header, 0, header.length, 8);
    return { text: header.toString("utf8"), fileBytes, dataStart: 8 + header.length };
  } finally {
    fs.closeSync(fd);
  }
}

function open(path: string): number {
  try {
    return fs.openSync(path, "r");
  } catch (error) {
    if (hasCode(error, "ENOENT")) throw new UserError(`${path} does not exist`);
    throw error;
  }
}

function parseObject(text: string, path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw bad(path, `its header is not JSON (${error instanceof Error ? error.message : error})`);
  }
  if (!isObject(value)) throw bad(path, "its header is not a JSON object");
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readMetadata(value: unknown, path: string): Record<string, string> {
  if (value === undefined) return {};
  if (!isObject(value)) throw bad(path, "__metadata__ is not an object");
  const pairs = Object.entries(value).map(([key, item]) => {
    if (typeof item !== "string") throw bad(path, `__metadata__.${key} is not a string`);
    return [key, item] as const;
  });
  return Object.fromEntries(pairs);
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function readEntry(name: string, value: unknown, dataBytes: number, path: string): TensorEntry {
  const fail = (what: string) => bad(path, `tensor '${name}' ${what}`);
  if (!isObject(value)) throw fail("is not described by an object");
  const { dtype: formatName, shape, data_offsets: offsets } = value;
  const dtype = DTYPES.get(String(formatName));
  if (dtype === undefined) {
    throw fail(`has dtype ${JSON.stringify(formatName)}; supported are ${[...DTYPES.keys()].join(", ")}`);
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) throw fail(`has the shape ${JSON.stringify(shape)}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw fail(`has the data_offsets ${JSON.stringify(offsets)}; expected two whole numbers`);
  }
  const [begin, end] = offsets;
  if (end < begin) throw fail(`ends (${end}) before it begins (${begin})`);
  if (end > dataBytes) throw fail(`ends at byte ${end}, but the file holds ${dataBytes}: is it truncated?`);
  const bytes = shape.reduce((product, size) => product * size, ITEM_BYTES[dtype]);
  if (bytes !== end - begin) {
    throw fail(`has ${end - begin} bytes, but ${formatName} of shape [${shape.join(", ")}] needs ${bytes}`);
  }
  return { dtype, shape, begin, end };
}

/** Every byte of the data belongs to exactly one tensor. */
function checkCoverage(entries: ReadonlyMap<string, TensorEntry>, dataBytes: number, path: string): void {
  let end = 0;
  let previous = "";
  for (const [name, entry] of entries) {
    if (entry.begin < end) throw bad(path, `tensor '${name}' overlaps '${previous}' (bytes ${entry.begin} to ${end})`);
    if (entry.begin > end) throw bad(path, `bytes ${end} to ${entry.begin}, before tensor '${name}', belong to none`);
    end = entry.end;
    previous = name;
  }
  if (end < dataBytes) throw bad(path, `its last ${dataBytes - end} bytes belong to no tensor`);
}
