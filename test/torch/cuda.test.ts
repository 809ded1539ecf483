import { expect, test } from "vitest";
import { cudaCompiled, pinned } from "../../src/torch/cuda.js";
import {
  CudaGraph,
  cudaDevice,
  cudaMemory,
  DeviceEvent,
  emptyCache,
  isCuda,
  liveTensors,
  ops,
  resetPeakMemory,
  scope,
  synchronize,
  tensor,
  upload,
} from "../../src/torch/index.js";

test.each([
  ["cpu", false],
  ["cuda", true],
  ["cuda:1", true],
])("%s is a GPU: %s", (device, expected) => expect(isCuda(device)).toBe(expected));

test("what a CPU has none of does nothing there", () => {
  synchronize("cpu");
  emptyCache("cpu");
  resetPeakMemory("cpu");
  expect(cudaMemory("cpu")).toBeNull();
});

test("events on a CPU read the clock", async () => {
  const [start, end] = [new DeviceEvent("cpu"), new DeviceEvent("cpu")];
  start.record();
  await new Promise((resolve) => setTimeout(resolve, 20));
  end.record();
  end.wait();
  expect(end.since(start)).toBeGreaterThanOrEqual(19);
  expect(end.since(start)).toBeLessThan(2000);
  end.dispose();
});

test("uploading to a CPU copies", () => {
  const before = liveTensors();
  scope(() => {
    const target = ops.zeros([2, 3]).narrow(1, 1, 2);
    upload(target, tensor([1, 2, 3, 4], [2, 2]));
    expect(target.toArray()).toEqual([1, 2, 3, 4]);
    expect(pinned(target, "cpu")).toBe(target);
  });
  expect(liveTensors()).toBe(before);
});

test.skipIf(cudaCompiled())("built without CUDA, the rest says so and what to do", () => {
  const message = /without CUDA.*setup\.mjs/s;
  expect(() => new CudaGraph("cuda:0").capture(() => {})).toThrow(message);
  expect(() => cudaDevice()).toThrow(message);
  expect(() => cudaMemory("cuda:0")).toThrow(message);
  expect(() => synchronize("cuda:0")).toThrow(message);
});
