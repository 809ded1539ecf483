// A small Hub on localhost: what loadDataset asks of the real one.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type DatasetOptions, loadDataset } from "../../src/data/index.js";
import { UserError } from "../../src/errors.js";

const SHA = "a".repeat(40);
const FILES: Record<string, string> = {
  "README.md": "---\nlicense: mit\n---\n# made",
  "data/train-00000-of-00001.jsonl": '{"problem": "1+1?", "solution": "\\\\boxed{2}"}\n',
  "data/test-00000-of-00001.jsonl": '{"problem": "t"}\n',
};

let server: Server;
let requests: string[];
let answer: (request: IncomingMessage, response: ServerResponse) => unknown;
let options: DatasetOptions;
let cacheDir: string;

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

function hub(request: IncomingMessage, response: ServerResponse) {
  const path = decodeURIComponent((request.url ?? "").split("?")[0]);
  if (path === "/api/datasets/o/n/revision/main") return json(response, 200, { id: "o/n", _id: "1", sha: SHA });
  if (path.startsWith(`/api/datasets/o/n/tree/${SHA}`)) {
    const entries = Object.entries(FILES).map(([name, text]) => ({
      type: "file",
      path: name,
      size: text.length,
      oid: "0",
    }));
    return json(response, 200, [{ type: "directory", path: "data", size: 0, oid: "0" }, ...entries]);
  }
  const text = FILES[path.replace(`/datasets/o/n/resolve/${SHA}/`, "")];
  if (text === undefined) return json(response, 404, { error: "Repository not found" });
  const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "");
  const [start, end] = range ? [Number(range[1]), Number(range[2]) + 1] : [0, text.length];
  const headers = { ETag: '"e"', "Content-Range": `bytes ${start}-${end - 1}/${text.length}` };
  response.writeHead(range ? 206 : 200, headers).end(text.slice(start, end));
}

beforeEach(async () => {
  answer = hub;
  requests = [];
  cacheDir = mkdtempSync(join(tmpdir(), "open-rs-hub-"));
  server = createServer((request, response) => {
    requests.push(request.url ?? "");
    answer(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const hubUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  options = { name: "o/n", cacheDir, hubUrl, timeoutMs: 500 };
});

afterEach(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
  rmSync(cacheDir, { recursive: true });
});

const expected = [{ problem: "1+1?", solution: "\\boxed{2}" }];

it("downloads the split's files into the cache Python shares, once", async () => {
  expect((await loadDataset(options)).rows).toEqual(expected);
  const storage = join(cacheDir, "datasets--o--n");
  expect(readFileSync(join(storage, "refs/main"), "utf8")).toBe(SHA);
  expect(existsSync(join(storage, "snapshots", SHA, "data/train-00000-of-00001.jsonl"))).toBe(true);
  expect(existsSync(join(storage, "snapshots", SHA, "data/test-00000-of-00001.jsonl"))).toBe(false);
  requests = [];
  expect((await loadDataset(options)).rows).toEqual(expected);
  expect(requests.filter((url) => url.includes("/resolve/"))).toEqual([]);
});

it("is served by the cache when the Hub is away, silent, broken or HF_HUB_OFFLINE is set", async () => {
  await loadDataset(options);
  answer = () => {};
  expect((await loadDataset(options)).rows).toEqual(expected);
  answer = (_, response) => json(response, 503, { error: "down" });
  expect((await loadDataset(options)).rows).toEqual(expected);
  expect((await loadDataset({ ...options, hubUrl: "http://127.0.0.1:9" })).rows).toEqual(expected);
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  requests = [];
  expect((await loadDataset(options)).rows).toEqual(expected);
  expect(requests).toEqual([]);
});

it.each<[string, Partial<DatasetOptions>, typeof answer, RegExp]>([
  [
    "no network",
    { hubUrl: "http://127.0.0.1:9" },
    hub,
    /dataset o\/n \(main\) cannot be reached \(.*\) and is not in the cache/,
  ],
  [
    "an unknown host",
    { hubUrl: "http://no-such-host.invalid" },
    hub,
    /cannot be reached \(.*no-such-host.*give its folder/,
  ],
  ["a silent server", {}, () => {}, /no answer within 0\.5 s/],
  ["an unknown dataset", { name: "o/absent" }, hub, /there is no dataset o\/absent \(main\) on the Hub/],
  ["a gated dataset", {}, (_, r) => json(r, 401, { error: "gated" }), /not open to you \(status 401\).*HF_TOKEN/],
  ["a missing split", { split: "dev" }, hub, /no split "dev": there are train, test/],
])("%s is a clear error, soon", async (_name, change, behaviour, message) => {
  answer = behaviour;
  const started = performance.now();
  const error: unknown = await loadDataset({ ...options, ...change }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).toMatch(message);
  expect(performance.now() - started).toBeLessThan(10_000);
});

it("a download that breaks off leaves nothing that looks whole", async () => {
  answer = (request, response) => {
    if (!(request.url ?? "").includes("/resolve/") || (request.url ?? "").includes("README"))
      return hub(request, response);
    if (request.headers.range === "bytes=0-0") return hub(request, response);
    response.writeHead(200, { "Content-Length": "1000000", ETag: '"e"' }).write("half");
    setTimeout(() => response.destroy(), 20);
  };
  await expect(loadDataset(options)).rejects.toThrow(/download of data\/train.* failed.*Start again/);
  answer = hub;
  expect((await loadDataset(options)).rows).toEqual(expected);
});
