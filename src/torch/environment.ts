import os from "node:os";

/** What libtorch reads of the environment when it loads, where the user has not set it. */
export function prepareEnvironment(env: NodeJS.ProcessEnv): void {
  // libtorch's idle OpenMP threads spin for milliseconds, which starves everything else on a busy machine; sleeping at once costs half
  // the speed of small products. So they spin for some tens of microseconds (docs/decisions.md). Read once, when libtorch loads.
  if (env.OMP_WAIT_POLICY === undefined) env.GOMP_SPINCOUNT ??= "4000";
  env.OMP_NUM_THREADS ??= String(os.availableParallelism());
  // Passes differ in size: blocks that grow in place leave no holes between those of one step and those of the next.
  if (env.PYTORCH_CUDA_ALLOC_CONF === undefined) env.PYTORCH_ALLOC_CONF ??= "expandable_segments:True";
}
