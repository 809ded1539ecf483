import { spawnSync } from "node:child_process";

/** A Python that can import all of `packages`: PYTHON, else python3. Ends the program with one line where there is none. */
export function pythonWith(...packages: string[]): string {
  const python = process.env.PYTHON ?? "python3";
  const find = "import importlib.util, sys; print(*[p for p in sys.argv[1:] if not importlib.util.find_spec(p)])";
  const { status, stdout, error } = spawnSync(python, ["-c", find, ...packages], { encoding: "utf8" });
  const missing = status === 0 ? stdout.trim() : null;
  if (missing === "") return python;
  const problem = missing === null ? `cannot be run (${error?.message ?? `exit ${status}`})` : `lacks ${missing}`;
  console.error(`${python} ${problem}: set PYTHON to one with ${packages.join(", ")}, e.g. that of a venv.`);
  process.exit(1);
}
