/**
 * The addon and the threads of a process: one thread has it at a time, others get an error, whatever they do; and nothing that JavaScript
 * can pass ends the process. What may end a process runs in one of its own.
 */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { ADDON_PATH, loadNative, native } from "../../src/torch/native.js";

const SOURCES = new URL("../../src/", import.meta.url).href;

function node(
  args: string[],
  script: string,
): { code: number | null; signal: string | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [...args, "-e", script], { encoding: "utf8", timeout: 60_000 });
  return { code: run.status, signal: run.signal, out: run.stdout.trim(), err: run.stderr };
}

const WORKERS = `
const { Worker } = require("node:worker_threads");
const path = ${JSON.stringify(ADDON_PATH)};
/** A thread that loads the addon, makes tensors, says how that went and waits to be ended. */
const start = () => new Promise((resolve, reject) => {
  const worker = new Worker(\`
    const { parentPort } = require("node:worker_threads");
    parentPort.once("message", () => parentPort.close());
    let outcome = "made";
    try {
      const addon = require(${JSON.stringify(ADDON_PATH)});
      for (let i = 0; i < 2000; i++) addon.fromBytes(new Float32Array(64), 6, [8, 8]);
      try { addon.call(-1); } catch {}
    } catch (error) { outcome = error.code; }
    parentPort.postMessage(outcome);\`, { eval: true });
  worker.once("message", (outcome) => resolve({ worker, outcome }));
  worker.once("error", reject);
});
const end = ({ worker }) => new Promise((resolve) => { worker.once("exit", resolve); worker.postMessage("end"); });
`;

test("of eight threads at once one has the addon; when it ended the next has, and then the main thread", () => {
  const { code, signal, out, err } = node(
    [],
    `${WORKERS}
    (async () => {
      const first = await Promise.all(Array.from({ length: 8 }, start));
      let main = "made";
      try { require(path); } catch (error) { main = error.code; }
      await Promise.all(first.map(end));
      const second = await start();
      await end(second);
      require(path).fromBytes(new Float32Array(4), 6, [4]);
      console.log(JSON.stringify({ first: first.map((each) => each.outcome).sort(), main, second: second.outcome,
        live: require(path).liveTensors() }));
    })();`,
  );
  expect({ code, signal, err }).toEqual({ code: 0, signal: null, err: "" });
  const refused = "ERR_OPEN_RS_THREAD";
  expect(JSON.parse(out)).toEqual({
    first: [...Array<string>(7).fill(refused), "made"],
    main: refused,
    second: "made",
    live: 1,
  });
});

test("importing open-rs loads no libtorch; its first use does", () => {
  const { code, out, err } = node(
    ["--import", "tsx", "--input-type=module"],
    `const loaded = () => process.report.getReport().sharedObjects.some((name) => name.includes("open_rs.node"));
    const { verify } = await import("${SOURCES}index.ts");
    const before = [verify("\\\\boxed{1/2}", "0.5"), loaded()];
    const { tensor } = await import("${SOURCES}torch/index.ts");
    console.log(JSON.stringify([...before, tensor([1, 2]).sum().item(), loaded()]));`,
  );
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(JSON.parse(out)).toEqual([expect.anything(), false, 3, true]);
});

const f32 = new Float32Array(4);
const wrong: unknown[] = [
  undefined,
  null,
  true,
  -1,
  0,
  0.5,
  1e10,
  2 ** 53,
  Number.NaN,
  "x",
  1n,
  [],
  [-1],
  {},
  f32,
  () => 0,
];

test("no argument of the addon's functions ends the process", () => {
  const addon = loadNative() as unknown as Record<string, (...args: unknown[]) => unknown>;
  const threads = native.getNumThreads();
  const gradMode = native.setGradMode(true);
  const tried: string[] = [];
  for (const [name, fn] of Object.entries(addon)) {
    // Of the thousands of operators the dispatcher takes, some end in aborts of libtorch's own: only ours are tried, below.
    const calls = [[], ...wrong.map((a) => [a]), ...wrong.map((a) => [a, a]), ...wrong.map((a) => [f32, a, a])];
    for (const args of calls) {
      // A factory that is a function is one we should not install.
      if (name === "setErrorFactory" && typeof args[0] === "function") continue;
      try {
        fn(...args);
      } catch (error) {
        expect(error, name).toBeInstanceOf(Error);
      }
      tried.push(name);
    }
  }
  native.setNumThreads(threads);
  native.setGradMode(gradMode);
  expect(tried.length).toBeGreaterThan(1000);
  // The factory is still ours.
  expect(() => native.call(-1)).toThrow(expect.objectContaining({ name: "TorchError" }));
});

test.each([
  ["more threads than a system starts", () => native.setNumThreads(100_000), /threads must be 1 to 1024, not 100000/],
  ["no thread", () => native.setNumThreads(0), /threads must be 1 to 1024, not 0/],
  ["no factory", () => native.setErrorFactory(null as never), /must be a function/],
  ["a dtype that is none", () => native.fromBytes(f32, 999, [4]), /there is no dtype 999/],
  ["a layout that is none", () => native.call(native.findOp("aten::zeros", ""), [2], 6, 77), /there is no layout 77/],
  ["a size beyond memory", () => native.fromBytes(f32, 6, [1e15]), /./],
])("%s is an error", (_name, call, message) => {
  expect(call).toThrow(message);
});
