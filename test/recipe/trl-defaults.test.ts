/** docs/trl-defaults.md lists every default that differs from TRL's (test/golden/make_trl_defaults.py), and nothing else. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { GRPO } from "../../src/recipe/schema.js";

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
const trl = JSON.parse(read("test/fixtures/recipe/trl-defaults.json")) as Record<string, unknown>;

test("the table of defaults that differ from TRL's is complete", () => {
  const differing = Object.entries(GRPO.fields).flatMap(([key, field]) => {
    const own = field.safeParse(undefined);
    // A key without a default must be given.
    if (!own.success || !(key in trl) || JSON.stringify(own.data) === JSON.stringify(trl[key])) return [];
    return [[key, JSON.stringify(own.data), JSON.stringify(trl[key])]];
  });
  const rows = [...read("docs/trl-defaults.md").matchAll(/^\| `(\w+)` \| `(.*?)` \| `(.*?)` \| .+ \|$/gm)];
  expect(rows.map(([, ...cells]) => cells).sort()).toEqual(differing.sort());
  expect(differing.length).toBeGreaterThan(3);
});
