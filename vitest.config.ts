import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // libtorch keeps process-wide state (grad mode, RNG): one process per file, never threads.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    // One OpenMP thread each: two workers already fill two cores, and libtorch's threads spin when there are more.
    env: { OMP_NUM_THREADS: "1", OMP_WAIT_POLICY: "PASSIVE" },
  },
});
