/** What `score` and `generate` share: which model, in which precision, where. */
import { Option } from "commander";
import type { LoadOptions } from "../model/index.js";
import type { DType } from "../torch/index.js";

export interface ModelOptions {
  model: string;
  dtype: "auto" | "float32" | "bfloat16" | "float16";
  device: "auto" | "cpu" | "cuda";
}

export function dtypeOption(): Option {
  return new Option("--dtype <dtype>", "precision to compute in, whatever the checkpoint holds; auto: as it is stored")
    .choices(["auto", "float32", "bfloat16", "float16"])
    .default("auto");
}

export function deviceOption(): Option {
  return new Option("--device <device>", "where to compute; auto: the first GPU, else the CPU")
    .choices(["auto", "cpu", "cuda"])
    .default("auto");
}

export async function modelOptions({ dtype, device }: ModelOptions): Promise<LoadOptions> {
  const { chooseDevice } = await import("../training/device.js");
  const chosen: { dtype?: DType } = dtype === "auto" ? {} : { dtype };
  return { ...chosen, device: chooseDevice({ device, threads: null }) };
}
