import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeFreshModel } from "../../src/demo/fresh.js";
import { loadModel } from "../../src/model/index.js";
import { loadTokenizer } from "../../src/text/index.js";

describe("fresh demo model", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "demo-fresh-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is a Qwen2 of at most 2M parameters that stands in a folder with its tokenizer", () => {
    const model = loadModel(writeFreshModel(folder, 1));
    const sizes = [...model.parameters().values()].map((weight) => weight.numel);
    // By hand: 384·128 embedding (tied), 4 layers of 128·128·2 + 128·64·2 + 256 (q, k, v, o and biases) + 3·128·384 + 2·128, 128 norm.
    expect(sizes.reduce((a, b) => a + b)).toBe(384 * 128 + 4 * (32768 + 16384 + 256 + 147456 + 256) + 128);
    expect(model.config.family).toBe("qwen2");
    expect(model.config.tieWordEmbeddings).toBe(true);
    expect(loadTokenizer(folder).vocabSize).toBeLessThanOrEqual(model.config.vocabSize);
    model.dispose();
  });

  it("is the same for the same seed only", () => {
    const firstWeights = (seed: number): number[] => {
      const model = loadModel(writeFreshModel(folder, seed));
      const [embedding] = model.parameters().values();
      const values = Array.from(embedding?.toTypedArray() as Float32Array).slice(0, 8);
      model.dispose();
      return values;
    };
    const weights = firstWeights(1);
    expect(firstWeights(1)).toEqual(weights);
    expect(firstWeights(2)).not.toEqual(weights);
  });
});
