/** src/math runs where Node is not: its bundle imports nothing, stays small, and judges in a bare JavaScript context. */
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";

async function bundle(entry: string, format: "esm" | "iife" = "iife"): Promise<string> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    platform: "browser",
    format,
    ...(format === "iife" && { globalName: "math" }),
  });
  return result.outputFiles[0]!.text;
}

test("the minified bundle is at most 36 KB gzipped and needs no Node", async () => {
  const module = await bundle("src/math/index.ts", "esm");
  expect(module).not.toMatch(/\b(?:import|require)\b\s*[("'{*]/);
  // Node's zlib packs some 250 bytes worse than the `gzip -9` of docs/answers.md.
  expect(gzipSync(module, { level: 9 }).length).toBeLessThanOrEqual(36 * 1024 + 250);
  const code = await bundle("src/math/index.ts");
  const bare = createContext({});
  runInContext(code, bare);
  expect(runInContext(String.raw`math.verify("\\frac12", "\\boxed{0.5}")`, bare)).toBe(true);
  expect(runInContext(String.raw`math.verify("\\frac12", "\\boxed{0.6}")`, bare)).toBe(false);
});

test("the example page calls what the bundle has", async () => {
  const page = readFileSync("examples/grade-in-browser/index.html", "utf8");
  const script = page.slice(page.lastIndexOf("<script>") + 8, page.lastIndexOf("</script>"));
  const elements = new Map<string, PageElement>();
  const element = (id: string): PageElement => {
    const made = elements.get(id) ?? {
      value: inputs[id] ?? "",
      textContent: "",
      addEventListener() {},
      replaceChildren() {},
    };
    elements.set(id, made);
    return made;
  };
  const document = { getElementById: element, createElement: () => ({ textContent: "" }) };
  const browser = createContext({ document, performance });
  runInContext(await bundle("src/math/index.ts"), browser);
  runInContext(script, browser);
  expect(element("verdict").textContent).toBe("equal");
});

interface PageElement {
  value: string;
  textContent: string;
  addEventListener(): void;
  replaceChildren(): void;
}

const inputs: Record<string, string> = { gold: "1/2", prediction: "\\boxed{0.5}", preset: "reward" };
