import { DeviceEvent, synchronize } from "../../src/torch/index.js";

/** Median milliseconds of one `body` on the device, over `rounds` timed one by one after `warmups` that are not. */
export function timed(device: string, body: () => void, { rounds = 10, warmups = 3 } = {}): number {
  for (let i = 0; i < warmups; i++) body();
  synchronize(device);
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const [start, end] = [new DeviceEvent(device), new DeviceEvent(device)];
    start.record();
    body();
    end.record();
    times.push(end.since(start));
    start.dispose();
    end.dispose();
  }
  return median(times);
}

/** Seconds on the host's clock until the device is done. */
export function wall(device: string, body: () => void): number {
  synchronize(device);
  const start = performance.now();
  body();
  synchronize(device);
  return (performance.now() - start) / 1000;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
