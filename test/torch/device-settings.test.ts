/** What is set around libtorch for a GPU, seen from a CPU. */
import { describe, expect, test } from "vitest";
import { prepareEnvironment } from "../../src/torch/environment.js";
import { callTensorOp, deterministically, fixWorkspaces, ops, tensor } from "../../src/torch/index.js";

describe("the environment libtorch finds when it loads", () => {
  const prepared = (env: NodeJS.ProcessEnv) => {
    prepareEnvironment(env);
    return env;
  };

  test("memory of GPUs in segments that grow, threads that do not spin long", () => {
    const env = prepared({});
    expect(env.PYTORCH_ALLOC_CONF).toBe("expandable_segments:True");
    expect(env.GOMP_SPINCOUNT).toBe("4000");
    expect(Number(env.OMP_NUM_THREADS)).toBeGreaterThan(0);
  });

  test.each([
    [{ PYTORCH_CUDA_ALLOC_CONF: "max_split_size_mb:512" }, undefined],
    [{ PYTORCH_ALLOC_CONF: "backend:cudaMallocAsync" }, "backend:cudaMallocAsync"],
    [{ PYTORCH_ALLOC_CONF: "" }, ""],
  ])("what the user set stays: %j", (env, expected) => {
    expect(prepared({ ...env }).PYTORCH_ALLOC_CONF).toBe(expected);
    expect(prepared({ ...env })).toMatchObject(env);
  });
});

describe("deterministically", () => {
  /** One of the few operators that have no deterministic way on a CPU either. */
  const put = () => callTensorOp("aten::put_", "", ops.zeros([3]), tensor([0], [1], "int64"), tensor([1]), false);

  test("libtorch refuses operators that change from run to run, and only there", () => {
    put();
    expect(() => deterministically(put)).toThrow(/deterministic/);
    put();
    const failing = () => {
      throw new Error("mine");
    };
    expect(() => deterministically(failing)).toThrow("mine");
    put();
  });

  test("cuBLAS gets workspaces of a fixed size, on a GPU and unless the user chose", () => {
    const after = (device: string, env: NodeJS.ProcessEnv) => {
      fixWorkspaces(device, env);
      return env.CUBLAS_WORKSPACE_CONFIG;
    };
    expect(after("cuda:0", {})).toBe(":4096:8");
    expect(after("cuda:0", { CUBLAS_WORKSPACE_CONFIG: ":16:8" })).toBe(":16:8");
    expect(after("cpu", {})).toBeUndefined();
  });
});
