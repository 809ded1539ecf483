/** Rotary frequencies are transformers' own, for every `rope_type` and its options (test/golden/make_rope.py). */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { FieldReader } from "../../src/model/fields.js";
import { RopeTable } from "../../src/model/rope.js";
import { parseRope } from "../../src/model/rope-config.js";
import { inverseFrequencies } from "../../src/model/rope-frequencies.js";

interface Case {
  config: { max_position_embeddings: number; rope_parameters: Record<string, unknown> };
  dims: number;
  frequencies: number[];
  magnitude: number;
}

const CASES: Case[] = JSON.parse(readFileSync(new URL("../fixtures/rope.json", import.meta.url), "utf8"));

const ropeOf = ({ config }: Pick<Case, "config">) =>
  parseRope(new FieldReader(config, "config.json"), {
    maxPositions: config.max_position_embeddings,
    headDim: 64,
    theta: 10_000,
  });

it.each(CASES.map((each) => [JSON.stringify(each.config.rope_parameters), each] as const))("%s", (_, each) => {
  const rope = ropeOf(each);
  expect(Math.abs(rope.magnitude / each.magnitude - 1)).toBeLessThan(1e-12);
  const ours = inverseFrequencies(rope, each.dims);
  expect(ours).toHaveLength(each.frequencies.length);
  each.frequencies.forEach((frequency, i) => {
    expect(Math.abs(ours[i]! / frequency - 1), `frequency ${i}`).toBeLessThan(2e-7);
  });
});

it("cosines and sines have the magnitude", () => {
  const rope = { ...ropeOf(CASES[0]!), magnitude: 1.5 };
  const { cos_NK, sin_NK } = new RopeTable(rope, 4, "float32", "cpu").upTo(10);
  const [cos, sin] = [cos_NK.toArray(), sin_NK.toArray()];
  cos.forEach((x, i) => {
    expect(Math.hypot(x, sin[i]!)).toBeCloseTo(1.5, 5);
  });
});
