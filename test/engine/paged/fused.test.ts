/** A decode step with our kernel for rotation and cache writes, run by the shim, against the same step by libtorch's operators. */
import { expect, test } from "vitest";
import { FusedPagedAttend, PagedAttend } from "../../../src/engine/paged/attend.js";
import { PagedCache } from "../../../src/engine/paged/cache.js";
import type { Attend } from "../../../src/model/attend.js";
import { loadModel } from "../../../src/model/index.js";
import { CudaKernels } from "../../../src/torch/cuda-kernels.js";
import { keep, noGrad, ops, scope, type Tensor, tensor } from "../../../src/torch/index.js";
import { furthest, noise } from "../../../src/torch/trial.js";
import { fixtureDir } from "../../model/fixtures.js";
import { shimLauncher } from "../../support/cuda/shim.js";

const kernels = new CudaKernels(shimLauncher(), "float32");

test.each(["qwen2-tied", "qwen3", "llama3-rope-old"])("%s", (name) => {
  const model = loadModel(fixtureDir(name), { dtype: "float32" });
  const { layers, kvHeads, headDim } = model.config;
  const step = (make: (cache: PagedCache, tables: { blocks: Tensor; lengths: Tensor }) => Attend) =>
    noGrad(() =>
      scope(() => {
        const shape = { layers, kvHeads, headDim, dtype: model.dtype, device: "cpu", blockSize: 4, maxLength: 16 };
        const cache = new PagedCache(shape);
        const pieces = (salt: number) =>
          Array.from({ length: layers }, (_, i) => keep(noise([2, kvHeads, 7, headDim], salt + i)));
        cache.append({ keys: pieces(1), values: pieces(9), lengths: [7, 4] }, [
          { prompt: 0, count: 2 },
          { prompt: 1, count: 1 },
        ]);
        cache.extend();
        const { blocks, lengths } = cache.tables(3);
        const tables = { blocks: tensor(blocks, [3, cache.width]), lengths: tensor(lengths, [3, 1]) };
        const hidden = model.forward(tensor([5, 6, 7], [3, 1], "int64"), make(cache, tables));
        const pools = [cache.keys(layers - 1), cache.values(layers - 1)].map((t) => t.clone());
        cache.clear();
        return [hidden, ...pools];
      }),
    );
  scope(() => {
    const expected = step((cache, tables) => new PagedAttend(cache, tables, "math"));
    const actual = step((cache, tables) => new FusedPagedAttend(cache, tables, "math", kernels));
    actual.forEach((t, i) => {
      expect(furthest(t, expected[i]!)).toBeLessThan(1e-4);
    });
    expect(ops.abs(expected[0]!).sum().item()).toBeGreaterThan(1);
  });
  model.dispose();
});
