/** A model by name: a folder, or a repository of the Hugging Face Hub through its cache. */
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { UserError } from "../errors.js";
import { type HubOptions, openHubRepo } from "../files/hub.js";
import { findBase } from "./lora/base.js";
import { isAdapterFolder, readAdapterConfig } from "./lora/config.js";

/** Weights, settings and tokenizer at the top of a repository; not other formats (.bin, .gguf, onnx/, original/). */
const WANTED = [
  /^model(-\d+-of-\d+)?\.safetensors$/,
  /^adapter_model\.safetensors$/,
  /^[^/]+\.json$/,
  /^[^/]+\.jinja$/,
  /^(merges|vocab)\.txt$/,
  /^tokenizer\.model$/,
];

/** Models that come with the package. */
const PACKAGED = new Map([["open-rs/demo", fileURLToPath(new URL("../../src/demo/base", import.meta.url))]]);

/**
 * The folder of a model: `nameOrPath` itself if it is one, else `open-rs/demo`, which is the demo's, else that of the Hub's repository of this
 * name, downloaded if the cache lacks it. @throws UserError if it is neither, or cannot be reached (offline: at once, or after the hub's time limit)
 */
export async function resolveModelFolder(
  nameOrPath: string,
  revision = "main",
  options: Omit<HubOptions, "revision"> = {},
): Promise<string> {
  if (existsSync(nameOrPath)) {
    if (statSync(nameOrPath).isDirectory()) return withBase(nameOrPath, options);
    throw new UserError(`model ${nameOrPath} is a file: give the folder it lies in`);
  }
  const packaged = PACKAGED.get(nameOrPath);
  if (packaged !== undefined) return packaged;
  if (!/^[\w-][\w.-]*\/[\w.-]+$/.test(nameOrPath)) {
    throw new UserError(
      `no model folder ${nameOrPath}: give an existing folder, or owner/name of the Hugging Face Hub`,
    );
  }
  const snapshot = await openHubRepo({ type: "model", name: nameOrPath }, { ...options, revision });
  const paths = snapshot.paths.filter((path) => WANTED.some((pattern) => pattern.test(path)));
  if (!paths.some((path) => path.endsWith(".safetensors"))) {
    throw new UserError(
      `model ${nameOrPath} (${revision}) has no safetensors weights in ${snapshot.folder}: choose a repository that has`,
    );
  }
  for (const path of paths) await snapshot.file(path);
  return withBase(snapshot.folder, options);
}

/** `folder`; if it holds an adapter, its base model is fetched too, where it is only on the Hub. */
async function withBase(folder: string, options: Omit<HubOptions, "revision">): Promise<string> {
  if (!isAdapterFolder(folder)) return folder;
  const config = readAdapterConfig(folder);
  if (findBase(folder, config) === undefined) await resolveModelFolder(config.base, config.revision, options);
  return folder;
}
