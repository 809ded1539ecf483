/** Which model an adapter belongs to, and where that is on disk. */
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { UserError } from "../../errors.js";
import { ADAPTER_CONFIG_FILE, type AdapterConfig, isAdapterFolder, readAdapterConfig } from "./config.js";

type Base = Pick<AdapterConfig, "base" | "revision">;

/** The base's folder: relative to the working folder, or else to the adapter's; or in Hugging Face's cache, where it has been fetched. */
export function findBase(dir: string, { base, revision }: Base): string | undefined {
  return [resolve(base), resolve(dir, base), ...cached(base, revision)].find((folder) =>
    existsSync(join(folder, "config.json")),
  );
}

/** @throws UserError if it is not on this machine */
export function baseOf(dir: string, config: Base): string {
  const found = findBase(dir, config);
  if (found !== undefined) return found;
  throw new UserError(
    `${join(dir, ADAPTER_CONFIG_FILE)}: the base model ${config.base} is not here: write the folder it lies in as base_model_name_or_path`,
  );
}

/** Where config.json of a model folder is: for an adapter's folder without one in its base's. */
export function configFolder(dir: string): string {
  if (existsSync(join(dir, "config.json")) || !isAdapterFolder(dir)) return dir;
  return baseOf(dir, readAdapterConfig(dir));
}

/** The snapshot of a Hub repository in the cache shared with Python (src/files/hub.ts fills it). */
function cached(name: string, revision = "main"): string[] {
  const { HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME = join(homedir(), ".cache") } = process.env;
  const cache = HF_HUB_CACHE ?? join(HF_HOME ?? join(XDG_CACHE_HOME, "huggingface"), "hub");
  const repo = join(cache, `models--${name.replaceAll("/", "--")}`);
  const ref = join(repo, "refs", revision);
  const commit = existsSync(ref) ? readFileSync(ref, "utf8").trim() : revision;
  return [join(repo, "snapshots", commit)];
}
