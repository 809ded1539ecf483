/**
 * Files of a Hugging Face repository, through its cache (`HF_HOME`, `HF_HUB_CACHE`; the layout Python shares).
 * Without a network the last snapshot in the cache serves; with neither, the error says what to do.
 */
import { createWriteStream, existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { datasetInfo, downloadFile, getHFHubCachePath, HubApiError, listFiles, modelInfo } from "@huggingface/hub";
import { UserError } from "../errors.js";

export interface HubOptions {
  /** Branch, tag or commit. Default "main". */
  revision?: string;
  /** Default: Hugging Face's own cache. */
  cacheDir?: string;
  /** Default: HF_ENDPOINT or https://huggingface.co. */
  hubUrl?: string;
  /** Default: HF_TOKEN. */
  accessToken?: string;
  /** Milliseconds a server may take to begin an answer. Default 30,000. */
  timeoutMs?: number;
  /** Told about downloads, one line each. */
  log?: (message: string) => void;
}

export interface HubRepo {
  type: "dataset" | "model";
  /** "owner/name". */
  name: string;
}

/** A repository at one commit: its files' paths, and a way to have one of them on disk. */
export interface HubSnapshot {
  /** Folder that holds the files of this commit once they are fetched. */
  folder: string;
  paths: string[];
  /** Path on disk of a file, downloaded if it is not in the cache. */
  file(path: string): Promise<string>;
}

/** @throws UserError when the repository does not exist, is gated, or can be reached neither by network nor in the cache */
export async function openHubRepo(repo: HubRepo, options: HubOptions = {}): Promise<HubSnapshot> {
  const revision = options.revision ?? "main";
  const storage = join(options.cacheDir ?? getHFHubCachePath(), `${repo.type}s--${repo.name.replaceAll("/", "--")}`);
  if (isOffline()) return cachedSnapshot(repo, storage, revision, "HF_HUB_OFFLINE is set");
  const access = { ...accessOf(options), repo };
  try {
    return await onlineSnapshot(repo, storage, revision, access, options.log);
  } catch (error) {
    if (error instanceof HubApiError && error.statusCode < 500) throw refused(repo, revision, error);
    return cachedSnapshot(repo, storage, revision, reasonOf(error));
  }
}

interface Access {
  repo: HubRepo;
  hubUrl?: string;
  accessToken?: string;
  fetch: typeof fetch;
}

function accessOf({
  hubUrl = process.env.HF_ENDPOINT,
  accessToken = process.env.HF_TOKEN,
  timeoutMs = 30_000,
}: HubOptions) {
  return { hubUrl, accessToken, fetch: impatientFetch(timeoutMs) };
}

/** fetch that gives up when no answer has begun in time; the body may take as long as it flows. */
function impatientFetch(timeoutMs: number): typeof fetch {
  return async (input, init) => {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
    const signals = init?.signal ? [init.signal, controller.signal] : [controller.signal];
    try {
      return await fetch(input, { ...init, signal: AbortSignal.any(signals) });
    } finally {
      clearTimeout(timer);
    }
  };
}

async function onlineSnapshot(
  repo: HubRepo,
  storage: string,
  revision: string,
  access: Access,
  log?: (message: string) => void,
): Promise<HubSnapshot> {
  const request = { ...access, name: repo.name, revision, additionalFields: ["sha" as const] };
  const { sha } = repo.type === "model" ? await modelInfo(request) : await datasetInfo(request);
  const paths: string[] = [];
  for await (const entry of listFiles({ ...access, revision: sha, recursive: true })) {
    if (entry.type === "file") paths.push(entry.path);
  }
  if (revision !== sha) {
    const ref = join(storage, "refs", revision);
    await mkdir(dirname(ref), { recursive: true });
    await writeFile(ref, sha);
  }
  const folder = join(storage, "snapshots", sha);
  const file = async (path: string): Promise<string> => {
    const target = inside(folder, path);
    if (existsSync(target)) return target;
    log?.(`downloading ${repo.name}/${path}`);
    try {
      return await download(access, sha, path, target);
    } catch (error) {
      throw new UserError(
        `download of ${path} of ${repo.type} ${repo.name} failed: ${reasonOf(error)}. Start again to retry.`,
      );
    }
  };
  return { folder, paths, file };
}

async function download(access: Access, revision: string, path: string, target: string): Promise<string> {
  const blob = await downloadFile({ ...access, path, revision });
  if (blob === null) throw new Error("the file is not there");
  await mkdir(dirname(target), { recursive: true });
  const incomplete = `${target}.${process.pid}.incomplete`;
  await pipeline(Readable.fromWeb(blob.stream() as ReadableStream), createWriteStream(incomplete));
  await rename(incomplete, target);
  return target;
}

function cachedSnapshot(repo: HubRepo, storage: string, revision: string, why: string): HubSnapshot {
  const ref = join(storage, "refs", revision);
  const sha = existsSync(ref) ? readFileSync(ref, "utf8").trim() : revision;
  const folder = join(storage, "snapshots", sha);
  if (!existsSync(folder)) {
    throw new UserError(
      `${repo.type} ${repo.name} (${revision}) cannot be reached (${why}) and is not in the cache ${dirname(storage)}: ` +
        `connect, or download it elsewhere and give its folder instead of the name (there is no folder ${repo.name} here)`,
    );
  }
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && !entry.name.endsWith(".incomplete"))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"));
  return { folder, paths, file: async (path) => inside(folder, path) };
}

/** A repository's path must not leave its folder. */
function inside(folder: string, path: string): string {
  const target = join(folder, path);
  if (relative(folder, target).startsWith(".."))
    throw new UserError(`the repository names a path outside itself: ${path}`);
  return target;
}

function isOffline(): boolean {
  return /^(1|true|yes|on)$/i.test(process.env.HF_HUB_OFFLINE ?? "");
}

function refused(repo: HubRepo, revision: string, error: HubApiError): UserError {
  const what = `${repo.type} ${repo.name} (${revision})`;
  if (error.statusCode === 404) {
    return new UserError(`there is no ${what} on the Hub: correct the name, or give a file or folder that exists`);
  }
  if (error.statusCode === 401 || error.statusCode === 403) {
    return new UserError(
      `${what} does not exist or is not open to you (status ${error.statusCode}): ` +
        `check the name, accept its terms on the Hub, and set HF_TOKEN`,
    );
  }
  return new UserError(`the Hub refused ${what}: ${error.message}`);
}

/** fetch hides the reason ("getaddrinfo ENOTFOUND …") in the cause of "fetch failed". */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && cause.message !== "" ? cause.message : String((error as Error).message ?? error);
}
