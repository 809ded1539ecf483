import fs from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { UserError } from "../../src/errors.js";
import {
  cleanRunFolder,
  latestCheckpoint,
  listCheckpoints,
  openCheckpoint,
  saveCheckpoint,
} from "../../src/run/checkpoint.js";
import { contentOf, DISK_CALLS, failDisk, temporaryFolder } from "./helpers.js";

afterEach(() => vi.restoreAllMocks());

/** Weights and a nested file, written through the same fs object whose calls the tests break. */
function writeModel(text: string): (folder: string) => void {
  return (folder) => {
    fs.mkdirSync(path.join(folder, "tokenizer"));
    for (const [name, content] of [
      ["model.safetensors", text.repeat(1000)],
      ["tokenizer/tokenizer.json", "{}"],
    ]) {
      const fd = fs.openSync(path.join(folder, name), "w");
      try {
        fs.writeSync(fd, content);
      } finally {
        fs.closeSync(fd);
      }
    }
  };
}

const steps = (runDir: string) => listCheckpoints(runDir).map((checkpoint) => checkpoint.step);
const noWarning = (message: string) => expect.unreachable(message);

describe("saving", () => {
  test("gives a folder with everything, its manifest, and no temporary name", async () => {
    const run = temporaryFolder();
    const saved = await saveCheckpoint(run, 50, writeModel("a"));
    expect(saved).toEqual({ step: 50, path: path.join(run, "checkpoint-50") });
    expect(fs.readdirSync(run)).toEqual(["checkpoint-50"]);
    expect(fs.readdirSync(saved.path).sort()).toEqual(["manifest.json", "model.safetensors", "tokenizer"]);
    const manifest = JSON.parse(fs.readFileSync(path.join(saved.path, "manifest.json"), "utf8"));
    expect(manifest).toEqual({
      version: 1,
      step: 50,
      files: [
        // sha256sum of 1000 times "a", and of "{}"
        {
          path: "model.safetensors",
          bytes: 1000,
          sha256: "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3",
        },
        {
          path: "tokenizer/tokenizer.json",
          bytes: 2,
          sha256: "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        },
      ],
    });
  });

  test("keeps the newest N by number, not by name", async () => {
    const run = temporaryFolder();
    for (const step of [8, 9, 10, 11]) await saveCheckpoint(run, step, writeModel("a"), { keep: 2 });
    expect(steps(run)).toEqual([10, 11]);
    expect(fs.readdirSync(run).sort()).toEqual(["checkpoint-10", "checkpoint-11"]);
  });

  test("never removes the one just saved, nor later ones of another timeline", async () => {
    const run = temporaryFolder();
    for (const step of [10, 20, 30]) await saveCheckpoint(run, step, writeModel("a"));
    await saveCheckpoint(run, 15, writeModel("b"), { keep: 1 });
    expect(steps(run)).toEqual([15, 20, 30]);
  });

  test("replaces a checkpoint of the same step", async () => {
    const run = temporaryFolder();
    await saveCheckpoint(run, 5, writeModel("a"));
    await saveCheckpoint(run, 5, writeModel("b"));
    expect(fs.readFileSync(path.join(run, "checkpoint-5", "model.safetensors"), "utf8")).toBe("b".repeat(1000));
    expect(fs.readdirSync(run)).toEqual(["checkpoint-5"]);
  });

  test("an error of the writer leaves nothing and comes through as it is", async () => {
    const run = temporaryFolder();
    const failing = async (folder: string) => {
      writeModel("a")(folder);
      throw new RangeError("ours");
    };
    await expect(saveCheckpoint(run, 1, failing)).rejects.toThrow(RangeError);
    expect(fs.readdirSync(run)).toEqual([]);
  });
});

describe("a disk that fails at any call", () => {
  test.each(DISK_CALLS)("%s: a clear error, the temporary folder gone, the last checkpoint intact", async (call) => {
    const run = temporaryFolder();
    await saveCheckpoint(run, 1, writeModel("a"));
    const before = contentOf(run);
    let completed = false;
    for (let n = 0; !completed; n++) {
      failDisk(call, n, "ENOSPC");
      const error = await saveCheckpoint(run, 2, writeModel("b")).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      vi.restoreAllMocks();
      // An fsync of the run folder may fail after the rename: then the new one is there, whole.
      expect(latestCheckpoint(run, noWarning)?.step).toBe(steps(run).at(-1));
      completed = error === undefined;
      if (completed) {
        expect(n, `${call} is never called`).toBeGreaterThan(0);
        continue;
      }
      expect(error).toBeInstanceOf(UserError);
      expect(String(error)).toMatch(/the disk is full/);
      expect(fs.readdirSync(run).filter((name) => name.startsWith("."))).toEqual([]);
      if (!steps(run).includes(2)) expect(contentOf(run)).toEqual(before);
      fs.rmSync(path.join(run, "checkpoint-2"), { recursive: true, force: true });
    }
    expect(steps(run)).toEqual([1, 2]);
  });

  test("a failed replacement brings the old one back", async () => {
    const run = temporaryFolder();
    await saveCheckpoint(run, 1, writeModel("a"));
    const before = contentOf(run);
    const rename = fs.renameSync;
    vi.spyOn(fs, "renameSync").mockImplementation((from, to) => {
      if (path.basename(String(from)).startsWith(".tmp-checkpoint"))
        throw Object.assign(new Error("injected"), { code: "ENOSPC" });
      rename(from, to);
    });
    await expect(saveCheckpoint(run, 1, writeModel("b"))).rejects.toThrow(/save checkpoint-1 in .*disk is full/);
    expect(contentOf(run)).toEqual(before);
  });
});

describe("opening", () => {
  test("a run without checkpoints, or none at all, has no latest one", () => {
    const run = temporaryFolder();
    fs.mkdirSync(path.join(run, "completions"));
    expect(latestCheckpoint(run, noWarning)).toBeUndefined();
    expect(latestCheckpoint(path.join(run, "absent"), noWarning)).toBeUndefined();
  });

  const model = (folder: string) => path.join(folder, "model.safetensors");
  test.each<[string, (folder: string) => void, RegExp]>([
    ["no manifest", (folder) => fs.rmSync(path.join(folder, "manifest.json")), /has no manifest\.json/],
    [
      "a folder for a manifest",
      (folder) => {
        fs.rmSync(path.join(folder, "manifest.json"));
        fs.mkdirSync(path.join(folder, "manifest.json"));
      },
      /manifest\.json is a folder/,
    ],
    ["half a manifest", (folder) => fs.truncateSync(path.join(folder, "manifest.json"), 40), /is not JSON/],
    ["another manifest", (f) => fs.writeFileSync(path.join(f, "manifest.json"), "[]"), /not a checkpoint's manifest/],
    ["a missing file", (folder) => fs.rmSync(model(folder)), /model\.safetensors is missing/],
    ["a truncated file", (folder) => fs.truncateSync(model(folder), 999), /has 999 bytes instead of 1000/],
    ["a changed byte", (folder) => fs.writeFileSync(model(folder), `${"b".repeat(999)}c`), /SHA-256 differs/],
    [
      "a wrong step",
      (folder) => {
        const file = path.join(folder, "manifest.json");
        fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace('"step": 9', '"step": 8'));
      },
      /is of step 8, not 9/,
    ],
  ])("the newest with %s: a warning and the one before; alone: an error", async (_, damage, reason) => {
    const run = temporaryFolder();
    const only = temporaryFolder();
    await saveCheckpoint(run, 3, writeModel("a"));
    for (const folder of [run, only]) damage((await saveCheckpoint(folder, 9, writeModel("b"))).path);
    const warnings: string[] = [];
    expect(latestCheckpoint(run, (message) => warnings.push(message))?.step).toBe(3);
    expect(warnings).toEqual([expect.stringMatching(/^checkpoint-9 is damaged: .*; falling back to checkpoint-3$/)]);
    expect(warnings[0]).toMatch(reason);
    expect(() => latestCheckpoint(only, noWarning)).toThrow(
      /no checkpoint in .* can be loaded \(checkpoint-9 is damaged/,
    );
    expect(() => openCheckpoint(path.join(run, "checkpoint-9"))).toThrow(reason);
  });

  test("by name", async () => {
    const run = temporaryFolder();
    const { path: folder } = await saveCheckpoint(run, 7, writeModel("a"));
    expect(openCheckpoint(`${folder}/`)).toEqual({ step: 7, path: `${folder}/` });
    expect(() => openCheckpoint(run)).toThrow(/expected a folder named checkpoint-<step>/);
    expect(() => openCheckpoint(path.join(run, "checkpoint-8"))).toThrow(/does not exist/);
  });
});

test("cleaning removes leftovers and finishes an interrupted replacement", async () => {
  const run = temporaryFolder();
  await saveCheckpoint(run, 1, writeModel("a"));
  await saveCheckpoint(run, 2, writeModel("b"));
  const before = contentOf(run);
  fs.renameSync(path.join(run, "checkpoint-2"), path.join(run, ".old-checkpoint-2"));
  fs.cpSync(path.join(run, "checkpoint-1"), path.join(run, ".old-checkpoint-1"), { recursive: true });
  fs.mkdirSync(path.join(run, ".tmp-checkpoint-3-99999", "deep"), { recursive: true });
  fs.writeFileSync(path.join(run, ".tmp-metrics.jsonl-99999"), "x");
  cleanRunFolder(run);
  expect(contentOf(run)).toEqual(before);
  expect(fs.readdirSync(run).sort()).toEqual(["checkpoint-1", "checkpoint-2"]);
});
