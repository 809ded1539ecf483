// Parquet golden files: test/golden/data.py (pyarrow).
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadDataset, placeOf } from "../../src/data/index.js";
import { UserError } from "../../src/errors.js";

const fixtures = join(import.meta.dirname, "../fixtures/data");
const scratch = mkdtempSync(join(tmpdir(), "open-rs-data-"));
afterAll(() => rmSync(scratch, { recursive: true }));

let folders = 0;
/** A folder with these files; their text is the key's value. */
function folder(files: Record<string, string>): string {
  const dir = join(scratch, String(folders++));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

const row = (x: number | string): string => `{"problem": "p", "x": ${JSON.stringify(x)}}\n`;
const xs = (rows: Record<string, unknown>[]): unknown[] => rows.map((r) => r.x);

describe("Parquet", () => {
  const expected = JSON.parse(readFileSync(join(fixtures, "nested.json"), "utf8"));
  it.each(["none", "snappy", "gzip", "zstd", "brotli", "lz4"])("nested columns, compressed by %s", async (name) => {
    const dataset = await loadDataset({ name: join(fixtures, `nested-${name}.parquet`) });
    expect(dataset.rows).toEqual(expected);
    expect(dataset.columns).toEqual(Object.keys(expected[0]));
    expect(placeOf(dataset.rows[3])).toBe(`nested-${name}.parquet row 4`);
  });

  it("a damaged file is a clear error", async () => {
    const bytes = readFileSync(join(fixtures, "nested-snappy.parquet"));
    const name = join(folder({ "x.txt": "" }), "cut.parquet");
    writeFileSync(name, bytes.subarray(0, bytes.length / 2));
    await expect(loadDataset({ name })).rejects.toThrow(UserError);
    await expect(loadDataset({ name })).rejects.toThrow(/cut\.parquet cannot be read as Parquet/);
  });
});

describe("JSON", () => {
  it("reads lines (BOM, CRLF, blank lines) and remembers their numbers", async () => {
    const dir = folder({ "a.jsonl": `\ufeff${row(1)}\r\n\n${row(2).trim()}\r\n${row("ü\u2028").trim()}` });
    const dataset = await loadDataset({ name: "a.jsonl", baseDir: dir });
    expect(xs(dataset.rows)).toEqual([1, 2, "ü\u2028"]);
    expect(dataset.rows.map(placeOf)).toEqual(["a.jsonl:1", "a.jsonl:4", "a.jsonl:5"]);
  });

  it("reads arrays, and lines in a .json file", async () => {
    const dir = folder({ "a.json": ` [${row(1)}, ${row(2)}]`, "b.json": row(3) + row(4) });
    expect(xs((await loadDataset({ name: join(dir, "a.json") })).rows)).toEqual([1, 2]);
    expect(xs((await loadDataset({ name: join(dir, "b.json") })).rows)).toEqual([3, 4]);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ["not JSON", { "d.jsonl": `${row(1)}{"x":\n` }, /d\.jsonl:2: not JSON/],
    ["not an object", { "d.jsonl": `${row(1)}\n[1]\n` }, /d\.jsonl:3: expected a JSON object.*an array/],
    ["null", { "d.jsonl": "null\n" }, /d\.jsonl:1: .*found null/],
    ["a broken array", { "d.json": "[1," }, /d\.json: not JSON/],
    ["an array of numbers", { "d.json": "[{}, 1]" }, /d\.json: element 2 is not an object/],
    ["no rows", { "d.jsonl": "\n\n" }, /d\.jsonl has no rows/],
    ["another kind of file", { "d.csv": "a,b" }, /unknown kind of data file "\.csv"/],
  ])("%s is an error with its place", async (_name, files, message) => {
    const name = join(folder(files), Object.keys(files)[0]);
    await expect(loadDataset({ name })).rejects.toThrow(UserError);
    await expect(loadDataset({ name })).rejects.toThrow(message);
  });
});

describe("folders", () => {
  const readme = `---
license: mit
configs:
- config_name: easy
  data_files: easy/*.jsonl
- config_name: hard
  default: true
  data_files:
  - split: train
    path: [parts/a-*.jsonl, parts/c.jsonl]
  - split: test
    path: "parts/**"
---
# A dataset`;
  const parts = {
    "easy/e.jsonl": row("easy"),
    "parts/a-2.jsonl": row("a2"),
    "parts/a-1.jsonl": row("a1"),
    "parts/b.jsonl": row("b"),
    "parts/c.jsonl": row("c"),
  };
  const bySplit = {
    "data/train-00000-of-00002.jsonl": row("t0"),
    "data/train-00001-of-00002.jsonl": row("t1"),
    "data/val.jsonl": row("v"),
    "data/constraint.jsonl": row("no split"),
    "dataset_infos.json": "{}",
    ".cache/train.jsonl": row("hidden"),
  };
  const cases: [string, Record<string, string>, { config?: string; split?: string }, unknown[]][] = [
    ["files without a split are train", { "b.jsonl": row("b"), "a.jsonl": row("a") }, {}, ["a", "b"]],
    ["train by name", bySplit, {}, ["t0", "t1"]],
    ["validation by a short name", bySplit, { split: "validation" }, ["v"]],
    ["a configuration's folder", { "x/train.jsonl": row("x"), "y/train.jsonl": row("y") }, { config: "y" }, ["y"]],
    ["one format of two", { "train.json": `[${row("j")}]`, "train.jsonl": row("l") }, {}, ["l"]],
    ["a model's folder with prompts", { "config.json": "{}", "prompts.jsonl": row("p") }, {}, ["p"]],
    ["the README's default configuration", { ...parts, "README.md": readme }, {}, ["a1", "a2", "c"]],
    ["the README's split", { ...parts, "README.md": readme }, { split: "test" }, ["a1", "a2", "b", "c"]],
    ["the README's configuration", { ...parts, "README.md": readme }, { config: "easy" }, ["easy"]],
  ];
  it.each(cases)("%s", async (_name, files, options, expected) => {
    expect(xs((await loadDataset({ name: folder(files), ...options })).rows)).toEqual(expected);
  });

  it.each<[string, Record<string, string>, { config?: string; split?: string }, RegExp]>([
    ["split", bySplit, { split: "test" }, /has no split "test": there are train, validation/],
    [
      "split of the README",
      { ...parts, "README.md": readme },
      { split: "dev" },
      /no split "dev": there are train, test/,
    ],
    ["configuration", { "x/a.jsonl": row(1) }, { config: "y" }, /has no dataset_config "y": there are x/],
    ["configuration of the README", { ...parts, "README.md": readme }, { config: "y" }, /there are easy, hard/],
    ["data", { "notes.txt": "" }, {}, /holds no data file \(\.parquet/],
  ])("a missing %s is an error that lists what there is", async (_name, files, options, message) => {
    await expect(loadDataset({ name: folder(files), ...options })).rejects.toThrow(message);
  });

  it.each(["./absent.jsonl", "absent.parquet", "/no/such/folder", "a/b/c"])("%s: no such dataset", async (name) => {
    await expect(loadDataset({ name })).rejects.toThrow(/no dataset .*: give a \.parquet/);
  });
});

describe("column mapping", () => {
  it("gives columns the names the recipe wants", async () => {
    const dir = folder({ "d.jsonl": '{"q": "1+1?", "a": 2}\n' });
    const dataset = await loadDataset({ name: join(dir, "d.jsonl"), columns: { problem: "q", answer: "a" } });
    expect(dataset.rows).toEqual([{ q: "1+1?", a: 2, problem: "1+1?", answer: 2 }]);
    expect(dataset.columns).toEqual(["q", "a", "problem", "answer"]);
  });

  it("names the first row that lacks a column", async () => {
    const name = join(folder({ "d.jsonl": '{"q": "1"}\n\n{"p": "2"}\n' }), "d.jsonl");
    const message = /row 2 \(d\.jsonl:3\) has no column "q" \(mapped to "problem"\); it has: p/;
    await expect(loadDataset({ name, columns: { problem: "q" } })).rejects.toThrow(message);
  });
});

describe("a line of 50 MB", () => {
  const long = "x".repeat(50_000_000);
  const within = async <T>(body: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await body();
    expect(performance.now() - start).toBeLessThan(10_000);
    return result;
  };

  it("is read quickly", async () => {
    const dir = folder({ "train.jsonl": row(1) + row(long) + row(3) });
    const { rows } = await within(() => loadDataset({ name: join(dir, "train.jsonl") }));
    expect(xs(rows).map((x) => String(x).length)).toEqual([1, 50_000_000, 1]);
  });

  it("that is no JSON is named with its beginning", async () => {
    const dir = folder({ "train.jsonl": row(1) + long });
    const error = await within(() => loadDataset({ name: join(dir, "train.jsonl") }).catch((e: Error) => e));
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(/train\.jsonl:2: not JSON/);
    expect((error as Error).message.length).toBeLessThan(1000);
  });
});
