import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import { liveTensors, ops, type Tensor, tensor } from "../../src/torch/index.js";
import { loadSafetensors, readHeader, saveSafetensors } from "../../src/torch/safetensors.js";

/** Files and values by the Python library: test/golden/make_safetensors.py. */
const FIXTURES = path.resolve(import.meta.dirname, "../fixtures/safetensors");
const ALL_DTYPES = path.join(FIXTURES, "all-dtypes.safetensors");
type Described = Record<string, { dtype: string; shape: readonly number[]; hex: string }>;
const golden: Described = JSON.parse(fs.readFileSync(path.join(FIXTURES, "all-dtypes.json"), "utf8"));
const SHARDED = path.resolve(import.meta.dirname, "../fixtures/models/qwen2-untied-bf16-sharded");

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "open-rs-safetensors-"));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));
let count = 0;
const freshFolder = () => fs.mkdtempSync(path.join(scratch, `${count++}-`));

function hexOf(value: Tensor): string {
  const data = value.toTypedArray();
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex");
}

function describeAll(tensors: ReadonlyMap<string, Tensor>): Described {
  const entries = [...tensors].map(([name, value]) => {
    return [name, { dtype: value.dtype, shape: [...value.shape], hex: hexOf(value) }] as const;
  });
  return Object.fromEntries(entries);
}

/** A file of this header text and this many bytes of tensors. */
function fileOf(header: string, dataBytes: number, headerBytes = Buffer.byteLength(header)): string {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(headerBytes));
  const file = path.join(freshFolder(), "model.safetensors");
  fs.writeFileSync(file, Buffer.concat([prefix, Buffer.from(header), Buffer.alloc(dataBytes)]));
  return file;
}

describe("loading", () => {
  test("every dtype as the Python library wrote it, and nothing else stays alive", () => {
    const before = liveTensors();
    const { tensors, metadata } = loadSafetensors(ALL_DTYPES);
    expect(describeAll(tensors)).toEqual(golden);
    expect(metadata).toEqual({ format: "pt" });
    expect(liveTensors() - before).toBe(tensors.size);
    for (const value of tensors.values()) value.dispose();
    expect(liveTensors()).toBe(before);
  });

  test("tensors at unaligned offsets are copied", () => {
    const { tensors } = loadSafetensors(path.join(FIXTURES, "unaligned.safetensors"));
    expect([...(tensors.get("flag")?.toTypedArray() ?? [])]).toEqual([7]);
    expect([...(tensors.get("weight")?.toTypedArray() ?? [])]).toEqual([1.5, -2]);
    expect([...(tensors.get("count")?.toTypedArray() ?? [])]).toEqual([-(2n ** 60n)]);
  });

  test("a file without tensors", () => {
    expect(loadSafetensors(path.join(FIXTURES, "empty.safetensors"))).toEqual({ tensors: new Map(), metadata: {} });
  });

  test("writing to a loaded tensor leaves the file alone; replacing the file leaves the tensor alone", () => {
    const file = path.join(freshFolder(), "model.safetensors");
    fs.copyFileSync(ALL_DTYPES, file);
    const bytes = fs.readFileSync(file);
    const value = loadSafetensors(file).tensors.get("f32");
    if (value === undefined) throw new Error("no f32");
    ops.zero_(value);
    expect(value.toArray()).toEqual([0, 0, 0, 0, 0, 0]);
    expect(fs.readFileSync(file).equals(bytes)).toBe(true);
    saveSafetensors(file, new Map([["x", tensor([1])]]));
    expect(value.toArray()).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test("shards by their index, from the folder and from the index file, as transformers wrote them", () => {
    const index = path.join(SHARDED, "model.safetensors.index.json");
    const { tensors, metadata } = loadSafetensors(SHARDED);
    const { weight_map, metadata: sizes } = JSON.parse(fs.readFileSync(index, "utf8"));
    expect([...tensors.keys()].sort()).toEqual(Object.keys(weight_map).sort());
    expect(metadata).toEqual({ format: "pt" });
    const bytes = [...tensors.values()].reduce((sum, value) => sum + value.toTypedArray().byteLength, 0);
    expect(bytes).toBe(sizes.total_size);
    expect(describeAll(loadSafetensors(index).tensors)).toEqual(describeAll(tensors));
  });
});

describe("saving", () => {
  test("gives the very bytes of the Python library, from any order", () => {
    const file = path.join(freshFolder(), "x.safetensors");
    const reversed = new Map([...loadSafetensors(ALL_DTYPES).tensors].reverse());
    expect(saveSafetensors(file, reversed)).toEqual([file]);
    expect(fs.readFileSync(file).equals(fs.readFileSync(ALL_DTYPES))).toBe(true);
    saveSafetensors(file, new Map(), { metadata: {} });
    expect(fs.readFileSync(file).equals(fs.readFileSync(path.join(FIXTURES, "empty.safetensors")))).toBe(true);
  });

  test("strided tensors are written row by row", () => {
    const file = path.join(freshFolder(), "x.safetensors");
    const rows = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    saveSafetensors(file, new Map([["t", rows.transpose(0, 1)]]));
    const loaded = loadSafetensors(file).tensors.get("t");
    expect(loaded?.shape).toEqual([3, 2]);
    expect(loaded?.toArray()).toEqual([1, 4, 2, 5, 3, 6]);
  });

  test("a folder: one file while it fits, else shards with an index; older files go", () => {
    const folder = freshFolder();
    const { tensors } = loadSafetensors(SHARDED);
    const largest = Math.max(...[...tensors.values()].map((value) => value.numel * 2));
    const written = saveSafetensors(folder, tensors, { maxShardBytes: largest });
    expect(written.length).toBeGreaterThan(3);
    for (const file of written.slice(0, -1)) {
      const { fileBytes, dataStart } = readHeader(file);
      expect(fileBytes - dataStart).toBeLessThanOrEqual(largest);
      expect(dataStart % 8).toBe(0);
    }
    const ours = JSON.parse(fs.readFileSync(path.join(folder, "model.safetensors.index.json"), "utf8"));
    const theirs = JSON.parse(fs.readFileSync(path.join(SHARDED, "model.safetensors.index.json"), "utf8"));
    expect(Object.keys(ours.weight_map)).toEqual(Object.keys(theirs.weight_map).sort());
    expect(ours.metadata.total_size).toBe(theirs.metadata.total_size);
    expect(describeAll(loadSafetensors(folder).tensors)).toEqual(describeAll(tensors));

    fs.writeFileSync(path.join(folder, "config.json"), "{}");
    expect(saveSafetensors(folder, tensors)).toEqual([path.join(folder, "model.safetensors")]);
    expect(fs.readdirSync(folder).sort()).toEqual(["config.json", "model.safetensors"]);
    expect(describeAll(loadSafetensors(folder).tensors)).toEqual(describeAll(tensors));
  });

  test("a tensor larger than a shard has one of its own", () => {
    const folder = freshFolder();
    const tensors = new Map(["a", "b", "c"].map((name, i) => [name, tensor(new Float32Array(4 ** i))]));
    saveSafetensors(folder, tensors, { maxShardBytes: 20 });
    const { weight_map } = JSON.parse(fs.readFileSync(path.join(folder, "model.safetensors.index.json"), "utf8"));
    expect(weight_map).toEqual({
      a: "model-00001-of-00002.safetensors",
      b: "model-00001-of-00002.safetensors",
      c: "model-00002-of-00002.safetensors",
    });
  });
});

describe("malformed files are refused with what is wrong", () => {
  const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = "F32") =>
    ({ dtype, shape, data_offsets: [begin, end] }) as const;
  const json = JSON.stringify;

  test.each<[string, string, number, RegExp]>([
    ["not JSON", "{oops", 0, /its header is not JSON/],
    ["an array", "[]", 0, /its header is not a JSON object/],
    ["metadata of numbers", json({ __metadata__: { n: 1 } }), 0, /__metadata__\.n is not a string/],
    ["a number for a tensor", json({ w: 1 }), 0, /tensor 'w' is not described by an object/],
    ["an unknown dtype", json({ w: entry(0, 4, [1], "F8_E4M3") }), 4, /'w' has dtype "F8_E4M3"; supported are I64,/],
    ["no dtype", json({ w: { shape: [], data_offsets: [0, 4] } }), 4, /'w' has dtype undefined/],
    ["a negative size", json({ w: entry(0, 4, [-1]) }), 4, /'w' has the shape \[-1\]/],
    ["a fractional size", json({ w: entry(0, 4, [0.5]) }), 4, /'w' has the shape \[0\.5\]/],
    ["a huge size", json({ w: entry(0, 4, [2 ** 40, 2 ** 40]) }), 4, /'w' has 4 bytes, but F32 of shape/],
    ["one offset", json({ w: { dtype: "F32", shape: [1], data_offsets: [4] } }), 4, /'w' has the data_offsets \[4\]/],
    ["swapped offsets", json({ w: entry(4, 0, [1]) }), 4, /'w' ends \(0\) before it begins \(4\)/],
    ["too few bytes", json({ w: entry(0, 4, [2]) }), 4, /'w' has 4 bytes, but F32 of shape \[2\] needs 8/],
    [
      "truncated data",
      json({ v: entry(0, 4), w: entry(4, 8) }),
      7,
      /'w' ends at byte 8, but the file holds 7: .*truncated/,
    ],
    ["an overlap", json({ v: entry(0, 8), w: entry(4, 12) }), 12, /'w' overlaps 'v' \(bytes 4 to 8\)/],
    ["the same bytes twice", json({ v: entry(0, 4), w: entry(0, 4) }), 4, /'w' overlaps 'v'/],
    ["a gap at the start", json({ w: entry(4, 8) }), 8, /bytes 0 to 4, before tensor 'w', belong to none/],
    ["a gap", json({ v: entry(0, 4), w: entry(8, 12) }), 12, /bytes 4 to 8, before tensor 'w', belong to none/],
    ["bytes at the end", json({ w: entry(0, 4) }), 7, /its last 3 bytes belong to no tensor/],
  ])("%s", (_, header, dataBytes, message) => {
    const file = fileOf(header, dataBytes);
    expect(() => readHeader(file)).toThrow(message);
    expect(() => loadSafetensors(file)).toThrow(UserError);
    expect(() => loadSafetensors(file)).toThrow(file);
  });

  test.each<[string, number, RegExp]>([
    ["one byte more than the file", 3, /its header has 3 bytes, more than the 10 of the file/],
    ["all bits set", Number(2n ** 63n), /its header has 9223372036854775808 bytes, more than the 10/],
  ])("a header length of %s", (_, length, message) => {
    expect(() => readHeader(fileOf("{}", 0, length))).toThrow(message);
  });

  test("an empty file, half a length, a Git LFS pointer, no file", () => {
    const file = path.join(freshFolder(), "model.safetensors");
    expect(() => loadSafetensors(file)).toThrow(/does not exist/);
    fs.writeFileSync(file, "");
    expect(() => loadSafetensors(file)).toThrow(/it has 0 bytes, fewer than the 8 of a length/);
    fs.writeFileSync(file, "1234567");
    expect(() => loadSafetensors(file)).toThrow(/it has 7 bytes/);
    fs.writeFileSync(file, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n");
    expect(() => loadSafetensors(file)).toThrow(/Git LFS pointer; run `git lfs pull`/);
  });

  test("every truncation and any changed header byte is refused, or reads within the file", () => {
    const bytes = fs.readFileSync(ALL_DTYPES);
    const file = path.join(freshFolder(), "model.safetensors");
    const headerEnd = 8 + Number(bytes.readBigUInt64LE());
    for (let length = 0; length < bytes.length; length += 13) {
      fs.writeFileSync(file, bytes.subarray(0, length));
      expect(() => readHeader(file)).toThrow(UserError);
    }
    const change = fc.tuple(fc.nat(headerEnd - 1), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(change, ([at, byte]) => {
        const changed = Buffer.from(bytes);
        changed[at] = byte;
        fs.writeFileSync(file, changed);
        try {
          for (const value of loadSafetensors(file).tensors.values()) value.toTypedArray();
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test("shards and folders", () => {
    const folder = freshFolder();
    expect(() => loadSafetensors(folder)).toThrow(
      /holds no weights: no model\.safetensors and no model\.safetensors\.index/,
    );
    const index = path.join(folder, "model.safetensors.index.json");
    const write = (value: unknown) => fs.writeFileSync(index, typeof value === "string" ? value : json(value));
    write("{");
    expect(() => loadSafetensors(folder)).toThrow(/index\.json is not a valid index: it is not JSON/);
    write({ metadata: {} });
    expect(() => loadSafetensors(folder)).toThrow(/it has no weight_map/);
    write({ weight_map: { w: "../secret.safetensors" } });
    expect(() => loadSafetensors(folder)).toThrow(/'w' is in "\.\.\/secret\.safetensors", which is not a file name/);
    for (const shard of [".", "..", "", "a/b"]) {
      write({ weight_map: { x: shard } });
      expect(() => loadSafetensors(folder)).toThrow(/tensor 'x' is in ".*", which is not a file name/);
    }
    write({ weight_map: { w: "a.safetensors" } });
    expect(() => loadSafetensors(folder)).toThrow(/a\.safetensors is missing, but .*index\.json lists it/);
    saveSafetensors(path.join(folder, "a.safetensors"), new Map([["v", tensor([1])]]));
    expect(() => loadSafetensors(folder)).toThrow(/a\.safetensors does not hold tensor 'w'/);
  });
});

test("what is no file is refused at once: a FIFO would be waited for", () => {
  const folder = freshFolder();
  const fifo = path.join(folder, "model.safetensors");
  execFileSync("mkfifo", [fifo]);
  expect(() => loadSafetensors(folder)).toThrow(/model\.safetensors is no regular file/);
  fs.rmSync(fifo);
  fs.mkdirSync(fifo);
  expect(() => loadSafetensors(folder)).toThrow(/model\.safetensors is a folder/);
});

test("an index that puts a tensor into another shard than holds it is refused", () => {
  const folder = freshFolder();
  saveSafetensors(
    path.join(folder, "a.safetensors"),
    new Map([
      ["x", tensor([1])],
      ["y", tensor([2])],
    ]),
  );
  saveSafetensors(path.join(folder, "b.safetensors"), new Map([["y", tensor([3])]]));
  const write = (map: object) =>
    fs.writeFileSync(path.join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: map }));
  write({ x: "a.safetensors", y: "b.safetensors" });
  expect(() => loadSafetensors(folder)).toThrow(
    /a\.safetensors holds tensor 'y', which the index puts into b\.safetensors/,
  );
  write({ x: "b.safetensors" });
  expect(() => loadSafetensors(folder)).toThrow(/b\.safetensors does not hold tensor 'x'/);
});
