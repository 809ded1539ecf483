/** `open-rs doctor`: what open-rs runs on, and what is wrong. Exit code 1 when something must be mended. */
import type { Command } from "commander";

export default function register(program: Command): Command {
  return program
    .command("doctor")
    .description("print Node, libtorch, processor, threads, GPUs, and what is wrong; exit code 1 if anything is")
    .option("--json", "print JSON")
    .action(async ({ json }: { json?: true }) => {
      const { diagnose } = await import("./diagnosis.js");
      const report = await diagnose();
      process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${format(report)}\n`);
      if (report.problems.length > 0) process.exitCode = 1;
    });
}

interface Printable {
  facts: Readonly<Record<string, string>>;
  problems: readonly string[];
  warnings: readonly string[];
}

function format({ facts, problems, warnings }: Printable): string {
  const width = Math.max(...Object.keys(facts).map((name) => name.length));
  const lines = Object.entries(facts).map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  const findings = [...problems.map((line) => `PROBLEM  ${line}`), ...warnings.map((line) => `note     ${line}`)];
  return [...lines, "", ...(findings.length > 0 ? findings : ["Nothing is wrong."])].join("\n");
}
