import { existsSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { resolveModelFolder } from "../../src/model/hub.js";

test("the demo's model has a name that works from any folder", async () => {
  const folder = await resolveModelFolder("open-rs/demo");
  expect(path.isAbsolute(folder)).toBe(true);
  expect(existsSync(path.join(folder, "model.safetensors"))).toBe(true);
});

test("what is neither a folder nor a name of the Hub is refused", async () => {
  await expect(resolveModelFolder("no-such-folder")).rejects.toThrow(
    /no model folder no-such-folder: give an existing/,
  );
});
