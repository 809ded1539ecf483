import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { recipeDocs } from "../../src/recipe/docs.js";
import { ALIASES, INERT, UNSUPPORTED } from "../../src/recipe/foreign.js";
import { GRPO, SFT } from "../../src/recipe/schema.js";

test("docs/recipe.md is current: npx tsx scripts/generate-recipe-docs.ts", () => {
  expect(readFileSync(new URL("../../docs/recipe.md", import.meta.url), "utf8")).toBe(recipeDocs());
});

test("every key is in one section, described, and ours alone", () => {
  for (const kind of [GRPO, SFT]) {
    const shown = kind.sections.flatMap(({ keys }) => keys);
    expect([...shown].sort()).toEqual(Object.keys(kind.fields).sort());
    for (const key of shown) {
      expect(kind.fields[key]?.description, key).toMatch(/\.$/);
      expect(key in ALIASES || INERT.has(key) || UNSUPPORTED.has(key), key).toBe(false);
    }
  }
});
