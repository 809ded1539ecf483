import { describe, expect, test } from "vitest";
import { chooseDevice, type Gpus } from "../../src/training/device.js";

const none: Gpus = { count: 0, compiled: true, driver: false };
const unusable: Gpus = { count: 0, compiled: false, driver: true };
const headerless: Gpus = { count: 1, compiled: false, driver: true };
const two: Gpus = { count: 2, compiled: true, driver: true };

function choose(device: string, gpus: Gpus): { device: string; lines: string[] } {
  const lines: string[] = [];
  return { device: chooseDevice({ device, threads: null }, (line) => lines.push(line), gpus), lines };
}

describe("where to compute", () => {
  test.each([
    ["auto", none, "cpu"],
    ["auto", two, "cuda:0"],
    ["cpu", two, "cpu"],
    ["cuda", two, "cuda:0"],
    ["cuda:1", two, "cuda:1"],
  ])("%s with %j: %s, without a word", (device, gpus, expected) => {
    expect(choose(device, gpus)).toEqual({ device: expected, lines: [] });
  });

  test.each([
    [unusable, /^computing on the CPU: libtorch finds no GPU: run 'open-rs doctor'$/],
    [headerless, /^computing on the CPU: .*without CUDA's headers: run 'open-rs setup'/],
  ])("auto, with a GPU that cannot be used (%j), says why in one line", (gpus, line) => {
    const { device, lines } = choose("auto", gpus);
    expect([device, lines.length]).toEqual(["cpu", 1]);
    expect(lines[0]).toMatch(line);
  });

  test.each([
    ["cuda", none, /device is cuda, but libtorch finds no GPU.*or set --device cpu/],
    ["cuda", headerless, /device is cuda, but the native addon was built without CUDA's headers/],
    ["cuda:2", two, /device is cuda:2, but libtorch finds 2 GPUs, cuda:0 to cuda:1: name one of them/],
    ["cuda:1", { ...two, count: 1 }, /libtorch finds 1 GPU, cuda:0: name one of them/],
  ])("%s with %j is an error", (device, gpus, message) => expect(() => choose(device, gpus)).toThrow(message));
});
