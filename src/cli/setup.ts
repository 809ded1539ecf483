/** `open-rs setup`: what the package's install script does, for installations that skip such scripts (pnpm does). */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";

const SCRIPT = fileURLToPath(new URL("../../scripts/setup.mjs", import.meta.url));

export default function register(program: Command): Command {
  return program
    .command("setup")
    .description("find or install libtorch and build the native addon; nothing to do when both are there")
    .option("--fresh", "look for libtorch anew, and compile everything again")
    .action(({ fresh }: { fresh?: true }) => {
      const args = [SCRIPT, ...(fresh ? ["--fresh"] : [])];
      process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
    });
}
