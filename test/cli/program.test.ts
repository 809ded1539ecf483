/** The command line: what goes where, and how commands end. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { COMMANDS } from "../../src/cli/commands.js";
import { formatError } from "../../src/cli/errors.js";
import { UserError } from "../../src/errors.js";
import { TorchError } from "../../src/torch/errors.js";
import { NonFiniteError } from "../../src/training/learner.js";
import { run } from "./run.js";

const RECIPE = fileURLToPath(new URL("../../recipes/open-rs3.yaml", import.meta.url));

describe("help", () => {
  test("lists every command with an example", async () => {
    const { code, stdout } = await run("--help");
    expect(code).toBe(0);
    for (const { name, summary } of COMMANDS)
      expect(stdout).toMatch(new RegExp(`^  ${name} .*${summary.slice(0, 12)}`, "m"));
    expect(stdout).toContain("$ open-rs train open-rs3 --dry-run");
  });

  test.each(COMMANDS.map(({ name }) => name))("of %s, both ways to ask", async (name) => {
    const asked = await run(name, "--help");
    expect(asked).toMatchObject({ code: 0, stderr: "" });
    expect(asked.stdout).toContain(`Usage: open-rs ${name} `);
    expect((await run("help", name)).stdout).toBe(asked.stdout);
  });

  test("of train names every key with what it takes and its default", async () => {
    const { stdout } = await run("train", "--help");
    expect(stdout).toContain("--num_generations <integer ≥ 2, ≤ 65536>");
    expect(stdout).toContain("Completions per prompt: the group G of GRPO. (default: 8)");
    expect(stdout).toContain("its name on the Hugging Face hub. (required)");
  });
});

describe("train --dry-run", () => {
  test("prints the resolved recipe to stdout, wherever the option stands", async () => {
    const first = await run(
      "train",
      RECIPE,
      "--dry-run",
      "--max_steps",
      "2",
      "--reward_funcs",
      "format",
      "--reward_weights",
      "1",
    );
    const last = await run(
      "train",
      RECIPE,
      "--max_steps",
      "2",
      "--reward_funcs",
      "format",
      "--reward_weights",
      "1",
      "--dry-run",
    );
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(last.stdout).toBe(first.stdout);
    expect(parse(first.stdout)).toMatchObject({ max_steps: 2, reward_funcs: ["format"], beta: 0.04, num_processes: 3 });
  });

  test("works without a file", async () => {
    const { stdout } = await run("sft", "--dry-run", "--model_name_or_path", "m", "--dataset_name", "d", "--packing");
    expect(parse(stdout)).toMatchObject({ model_name_or_path: "m", packing: true, learning_rate: 2e-5 });
  });
});

describe("failures", () => {
  test("of the user: one line on stderr, exit code 1, no stack", async () => {
    const { code, stdout, stderr } = await run("train", RECIPE, "--lerning_rate", "1");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toBe("error: --lerning_rate: unknown key (did you mean learning_rate?)\n");
  });

  test("with --debug: the stack", async () => {
    const { code, stderr } = await run("train", "--debug", RECIPE, "--lerning_rate", "1");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^UserError: --lerning_rate: unknown key .*\n {4}at .*load\.ts/);
  });

  test.each([
    [["trian"], "error: no command is named trian (did you mean train?): 'open-rs --help' lists them\n"],
    [["help", "trian"], "error: no command is named trian (did you mean train?): 'open-rs --help' lists them\n"],
    [["xqzwv", "--help"], "error: no command is named xqzwv: 'open-rs --help' lists them\n"],
  ])("an unknown command %j: the nearest one", async (words, stderr) => {
    expect(await run(...words)).toMatchObject({ code: 1, stdout: "", stderr });
  });

  test("no arguments: the help", async () => {
    expect((await run()).stdout).toBe((await run("--help")).stdout);
  });

  test.each([
    [new UserError("no model"), "error: no model"],
    [
      new TorchError("aten::mm", "self: float32[2]", "self must be a matrix\nmore"),
      "error: aten::mm(self: float32[2]): self must be a matrix",
    ],
    ["text", "error: text"],
    [new NonFiniteError("the loss of step 3 is NaN"), "error: the loss of step 3 is NaN"],
    [
      Object.assign(new Error("ENOENT: no such file"), {
        code: "ENOENT",
        syscall: "open",
        path: "/runs/a/metrics.jsonl",
      }),
      "error: cannot open /runs/a/metrics.jsonl: a part of the path is gone; was it removed while the run was using it? Run the same command again [ENOENT]",
    ],
    [new UserError("no! ".repeat(1e6)), `error: ${"no! ".repeat(2000)}… (4000000 characters)`],
  ])("%s", (error, expected) => {
    expect(formatError(error, false)).toBe(expected);
  });

  test("a broken invariant asks for a report and keeps its stack", () => {
    expect(formatError(new Error("broken invariant: x"), false)).toMatch(
      /^internal error, please report it: Error: broken invariant: x\n {4}at /,
    );
  });
});

test("doctor prints libtorch, where from, threads and what is wrong, and agrees with its JSON", async () => {
  const text = await run("doctor");
  const json = JSON.parse((await run("doctor", "--json")).stdout) as {
    facts: Record<string, string>;
    problems: string[];
  };
  expect(json.facts.libtorch).toMatch(/^2\.\d+\.\d+\S* \((CPU|CUDA)\) from /);
  expect(json.facts.Node).toContain(process.versions.node);
  expect(text.code).toBe(json.problems.length === 0 ? 0 : 1);
  for (const [name, value] of Object.entries(json.facts).filter(([name]) => name !== "memory"))
    expect(text.stdout).toMatch(new RegExp(`^${name} +${value.replace(/[.*+?^$()[\]{}|\\]/g, "\\$&")}$`, "m"));
});
