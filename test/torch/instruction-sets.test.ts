/** The kernels compiled for AVX2 and AVX-512 (scripts/lib/instruction-sets.mjs) must not lend their code to anyone else. */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { ADDON_PATH } from "../../src/torch/native.js";

const folder = path.join(path.dirname(ADDON_PATH), "../obj");
const objects = readdirSync(folder).filter((name) => /^kernels_avx.*\.o$/.test(name));

describe("kernels of an instruction set", () => {
  it("exist on x86-64 only", () => {
    expect(objects).toEqual(process.arch === "x64" ? ["kernels_avx2.o", "kernels_avx512.o"] : []);
  });

  // Of an inline function that is in several files the linker keeps one, which all processors would then run.
  it.each(objects)("%s shares no inline function with the rest", (name) => {
    const symbols = execFileSync("nm", [path.join(folder, name)], { encoding: "utf8" }).split("\n");
    const shared = symbols.filter((line) => / [VWu] /.test(line)).map((line) => line.split(" ").at(-1));
    // at::vec puts all it has into a namespace of the instruction set.
    expect(shared.filter((symbol) => !/2at3vec(4AVX2|6AVX512)/.test(symbol ?? ""))).toEqual([]);
  });
});
