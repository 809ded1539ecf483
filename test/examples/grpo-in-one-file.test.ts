/** The teaching version of GRPO runs as it stands and learns the demo's task, on the public API alone. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const FILE = fileURLToPath(new URL("../../examples/grpo-in-one-file.ts", import.meta.url));

test("it takes the demo's model from half to nine tenths and more, in 16 steps", { timeout: 240_000 }, () => {
  const { stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", FILE, "16"], { encoding: "utf8" });
  const share = (when: string) => Number(new RegExp(`${when}: ([\\d.]+) %`).exec(stdout)?.[1] ?? Number.NaN);
  expect(stderr).toBe("");
  expect(share("before")).toBeLessThan(60);
  expect(share("after")).toBeGreaterThanOrEqual(90);
});

test("it is short and needs only what the package exports", () => {
  const text = readFileSync(FILE, "utf8");
  expect(text.split("\n").length).toBeLessThanOrEqual(150);
  const imported = [...text.matchAll(/from "([^"]+)"/g)].map((match) => match[1]);
  expect(imported).toEqual(["open-rs", "open-rs/demo", "open-rs/torch"]);
});
