import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadTokenizer, StreamDecoder } from "../../src/text/index.js";

const fixtures = join(import.meta.dirname, "../fixtures/text");

describe.each(["bpe", "metaspace"])("streaming with %s", (name) => {
  const tokenizer = loadTokenizer(join(fixtures, name));
  const { encode } = JSON.parse(readFileSync(join(fixtures, name, "vectors.json"), "utf8"));

  it.each(encode as { text: string; ids: number[]; decoded: string }[])("$text: whole characters only", (vector) => {
    const stream = new StreamDecoder(tokenizer);
    const pieces = vector.ids.map((id) => stream.push(id));
    if (!vector.text.includes("\uFFFD")) expect(pieces.join("")).not.toContain("\uFFFD");
    expect(pieces.join("") + stream.flush()).toBe(vector.decoded);
  });

  it("any tokens at all: the pieces are the whole", () => {
    const ids = fc.array(fc.nat(tokenizer.vocabSize + 2), { maxLength: 24 });
    fc.assert(
      fc.property(ids, fc.boolean(), (tokens, skipSpecialTokens) => {
        const stream = new StreamDecoder(tokenizer, { skipSpecialTokens });
        const text = tokens.map((id) => stream.push(id)).join("") + stream.flush();
        expect(text).toBe(tokenizer.decode(tokens, { skipSpecialTokens }));
      }),
      { numRuns: 300 },
    );
  });
});

it("holds an unfinished character back until it is whole or the text ends", () => {
  const tokenizer = loadTokenizer(join(fixtures, "bpe"));
  const rocket = tokenizer.encode("🚀");
  expect(rocket).toHaveLength(4);
  const stream = new StreamDecoder(tokenizer);
  expect(rocket.map((id) => stream.push(id))).toEqual(["", "", "", "🚀"]);
  expect(stream.push(...rocket.slice(0, 2))).toBe("");
  expect(stream.flush()).toBe("\uFFFD");
  expect(stream.flush()).toBe("");
});

it("decodes a bounded number of tokens per piece", () => {
  const real = loadTokenizer(join(fixtures, "bpe"));
  let most = 0;
  const counted = {
    decode: (ids: readonly number[]) => {
      most = Math.max(most, ids.length);
      return real.decode(ids);
    },
  };
  const garbage = real.encode("🚀").slice(0, 1);
  const stream = new StreamDecoder(counted);
  for (let i = 0; i < 200; i++) stream.push(...garbage);
  for (let i = 0; i < 200; i++) stream.push(...real.encode(" the"));
  expect(most).toBeLessThan(20);
});
