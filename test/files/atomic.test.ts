import fs from "node:fs";
import path from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { UserError } from "../../src/errors.js";
import { writeFileAtomic } from "../../src/files/atomic.js";
import { assertWritableFolder, formatBytes } from "../../src/files/disk.js";
import { type DiskCall, failDisk, temporaryFolder } from "../run/helpers.js";

afterEach(() => vi.restoreAllMocks());

test("writes strings, bytes and pieces, and leaves no other file", () => {
  const folder = temporaryFolder();
  writeFileAtomic(path.join(folder, "a"), "größer");
  writeFileAtomic(path.join(folder, "b"), new Uint8Array([1, 2, 255]));
  writeFileAtomic(path.join(folder, "c"), [new Uint8Array([7]), new Uint8Array(0), new Uint8Array([8, 9])]);
  expect(fs.readFileSync(path.join(folder, "a"), "utf8")).toBe("größer");
  expect([...fs.readFileSync(path.join(folder, "b"))]).toEqual([1, 2, 255]);
  expect([...fs.readFileSync(path.join(folder, "c"))]).toEqual([7, 8, 9]);
  expect(fs.readdirSync(folder).sort()).toEqual(["a", "b", "c"]);
});

test("goes on after a short write", () => {
  const file = path.join(temporaryFolder(), "a");
  const write = fs.writeSync as (fd: number, data: Uint8Array, offset: number, length: number) => number;
  vi.spyOn(fs, "writeSync").mockImplementation(((fd: number, data: Uint8Array, offset: number, length: number) =>
    write(fd, data, offset, Math.min(3, length))) as never);
  writeFileAtomic(file, "0123456789");
  expect(fs.readFileSync(file, "utf8")).toBe("0123456789");
});

test.each<[DiskCall, string, RegExp]>([
  ["openSync", "EACCES", /cannot write .*model: permission denied/],
  ["openSync", "EROFS", /read-only/],
  ["writeSync", "ENOSPC", /the disk is full; free some space .*\([\d.]+ [kMGT]?B free\) \[ENOSPC\]/],
  ["writeSync", "EDQUOT", /quota/],
  ["fsyncSync", "EIO", /input\/output error/],
  ["renameSync", "EACCES", /permission denied/],
])("when %s fails with %s, the old content stays and nothing else", (call, code, message) => {
  const folder = temporaryFolder();
  const file = path.join(folder, "model");
  fs.writeFileSync(file, "old");
  failDisk(call, 0, code);
  expect(() => writeFileAtomic(file, "new")).toThrow(message);
  expect(() => writeFileAtomic(file, "new")).toThrow(UserError);
  vi.restoreAllMocks();
  expect(fs.readFileSync(file, "utf8")).toBe("old");
  expect(fs.readdirSync(folder)).toEqual(["model"]);
});

test("an error that is not the disk's comes through as it is", () => {
  function* pieces(): Generator<Uint8Array> {
    yield new Uint8Array(1);
    throw new RangeError("ours");
  }
  const folder = temporaryFolder();
  expect(() => writeFileAtomic(path.join(folder, "a"), pieces())).toThrow(RangeError);
  expect(fs.readdirSync(folder)).toEqual([]);
});

test("a writable folder is created and left empty", () => {
  const folder = path.join(temporaryFolder(), "new", "run");
  assertWritableFolder(folder);
  expect(fs.readdirSync(folder)).toEqual([]);
});

test("an unwritable folder is an error that says why", () => {
  const folder = temporaryFolder();
  const file = path.join(folder, "file");
  fs.writeFileSync(file, "");
  expect(() => assertWritableFolder(file)).toThrow(/is a file, not a folder/);
  expect(() => assertWritableFolder(path.join(file, "run"))).toThrow(/a part of the path is a file/);
  failDisk("mkdirSync", 0, "EACCES");
  expect(() => assertWritableFolder(path.join(folder, "run"))).toThrow(/cannot write to .*run: permission denied/);
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [3_554_214_752, "3.6 GB"],
  [5e15, "5000.0 TB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
