/** What `score` and `generate` share: which model, in which precision, where. */
import { InvalidArgumentError, Option } from "commander";
import type { LoadOptions } from "../model/index.js";
import { DEVICE } from "../recipe/device.js";
import type { DType } from "../torch/index.js";

export interface ModelOptions {
  model: string;
  dtype: "auto" | "float32" | "bfloat16" | "float16";
  device: string;
}

export function dtypeOption(): Option {
  return new Option("--dtype <dtype>", "precision to compute in, whatever the checkpoint holds; auto: as it is stored")
    .choices(["auto", "float32", "bfloat16", "float16"])
    .default("auto");
}

export function deviceOption(): Option {
  return new Option("--device <device>", "where to compute: auto (the first GPU, else the CPU), cpu, cuda or cuda:1")
    .argParser(parseDevice)
    .default("auto");
}

function parseDevice(text: string): string {
  if (DEVICE.test(text)) return text;
  throw new InvalidArgumentError("Allowed are auto, cpu, cuda, and cuda:N.");
}

export async function modelOptions({ dtype, device }: ModelOptions): Promise<LoadOptions> {
  const { chooseDevice } = await import("../training/device.js");
  const chosen: { dtype?: DType } = dtype === "auto" ? {} : { dtype };
  return { ...chosen, device: chooseDevice({ device, threads: null }, (line) => process.stderr.write(`${line}\n`)) };
}
