import { vi } from "vitest";
import { runCli } from "../../src/cli/program.js";

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
  /** stdout as it was written, piece by piece. */
  chunks: string[];
}

/** Runs a command line in this process and returns what it wrote. */
export async function run(...words: string[]): Promise<CliResult> {
  const written = { stdout: [] as string[], stderr: [] as string[] };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((chunk) => {
      written[name].push(String(chunk));
      return true;
    }),
  );
  try {
    const code = await runCli(words);
    return { code, stdout: written.stdout.join(""), stderr: written.stderr.join(""), chunks: written.stdout };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = 0;
  }
}
