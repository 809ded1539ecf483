import { describe, expect, test } from "vitest";
import {
  callTensorOp,
  DisposedTensorError,
  type DType,
  enableGrad,
  getRngState,
  gradients,
  keep,
  liveBytes,
  liveTensors,
  manualSeed,
  noGrad,
  ops,
  scope,
  setRngState,
  TorchError,
  tensor,
} from "../../src/torch/index.js";

describe("data in and out", () => {
  test.each<[DType, number[]]>([
    ["float32", [1.5, -2, 3.25]],
    ["float64", [1 / 3, -2, 1e300]],
    ["bfloat16", [1.5, -2, 0.15625]],
    ["float16", [1.5, -2, 0.0999755859375]],
    ["int32", [1, -2, 2 ** 31 - 1]],
    ["int64", [1, -2, 2 ** 53 - 1]],
    ["uint8", [0, 1, 255]],
    ["bool", [0, 1, 1]],
  ])("%s round-trips", (dtype, values) => {
    const t = tensor(values, [3, 1], dtype);
    expect(t.dtype).toBe(dtype);
    expect(t.shape).toEqual([3, 1]);
    expect(t.strides).toEqual([1, 1]);
    expect(t.device).toBe("cpu");
    expect(t.toArray()).toEqual(values);
    expect(tensor(t.toTypedArray(), [3], dtype).toArray()).toEqual(values);
  });

  test("nested arrays give the shape, ragged ones are refused", () => {
    expect(
      tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]).shape,
    ).toEqual([2, 3]);
    expect(() => tensor([[1], [2, 3]])).toThrow("ragged");
  });

  test("a view is read in its own order", () => {
    expect(
      tensor([
        [1, 2],
        [3, 4],
      ])
        .transpose(0, 1)
        .toArray(),
    ).toEqual([1, 3, 2, 4]);
  });

  test("too few bytes are refused", () => {
    expect(() => tensor(new Float32Array(3), [2, 2])).toThrow(/needs 16 bytes, the array has 12/);
  });

  test("toString is readable", () => {
    expect(
      String(
        tensor([
          [1, 2.5],
          [3, -4],
        ]),
      ),
    ).toBe("float32[2, 2] [[1, 2.5], [3, -4]]");
    expect(String(ops.arange(0, 10, { dtype: "int64" }))).toBe("int64[10] [0, 1, 2, …, 7, 8, 9]");
    expect(String(tensor(7))).toBe("float32[] 7");
  });
});

describe("operators", () => {
  test("generated signatures take named options and either a tensor or a number", () => {
    const a = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(ops.add(a, a, { alpha: 2 }).toArray()).toEqual([3, 6, 9, 12]);
    expect(ops.add(a, 1).toArray()).toEqual([2, 3, 4, 5]);
    expect(ops.sum(a, 0, { keepdim: true }).shape).toEqual([1, 2]);
    expect(ops.topk(a, 1).map((t) => t.toArray())).toEqual([
      [2, 4],
      [1, 1],
    ]);
    expect(ops.zeros([2], { dtype: "int64" }).dtype).toBe("int64");
    expect(ops.add_(a, 1)).toBe(a);
  });

  test("any registered operator can be called", () => {
    const out = callTensorOp(
      "aten::addmv",
      "",
      tensor([1, 1]),
      tensor([
        [1, 2],
        [3, 4],
      ]),
      tensor([1, 1]),
    );
    expect(out.toArray()).toEqual([4, 8]);
    expect(() => callTensorOp("aten::no_such_op", "")).toThrow(/no operator aten::no_such_op/);
  });

  test("one that writes into an argument returns that argument, and its scope ends well", () => {
    const [a, b, out] = [tensor([1, 2]), tensor([10, 20]), tensor([0, 0])];
    scope(() => {
      expect(callTensorOp("aten::add_", "Tensor", a, b)).toBe(a);
      expect(callTensorOp("aten::mul", "out", a, b, out)).toBe(out);
    });
    expect(a.toArray()).toEqual([11, 22]);
    expect(out.toArray()).toEqual([110, 440]);
    expect(() => callTensorOp("aten::_foreach_add_", "Scalar", [a], 1)).toThrow(
      /returns no tensor: call it through callOp/,
    );
  });

  test("libtorch's error carries operator, operands and its first line, and no C++ backtrace", () => {
    const fail = () =>
      ops.mm(
        tensor([
          [1, 2, 3],
          [4, 5, 6],
        ]),
        tensor(
          [
            [1, 2],
            [3, 4],
          ],
          [2, 2],
          "float64",
        ),
      );
    expect(fail).toThrow(TorchError);
    expect(fail).toThrow(/^aten::mm\(self: float32\[2, 3\], mat2: float64\[2, 2\]\): /);
    expect(fail).not.toThrow(/frame #|\.cpp|\n/);
  });
});

describe("autograd", () => {
  test("backward, grad, detach", () => {
    const x = tensor([1, 2, 3]);
    x.requiresGrad = true;
    x.mul(x).sum().backward();
    expect(x.grad?.toArray()).toEqual([2, 4, 6]);
    x.mul(x).sum().backward();
    expect(x.grad?.toArray()).toEqual([4, 8, 12]);
    x.grad = null;
    expect(x.grad).toBeNull();
    expect(x.mul(2).detach().requiresGrad).toBe(false);
  });

  test("noGrad records nothing, enableGrad inside it does, both end with their function", () => {
    const x = tensor([1]);
    x.requiresGrad = true;
    expect(noGrad(() => x.mul(2).requiresGrad)).toBe(false);
    expect(noGrad(() => enableGrad(() => x.mul(2).requiresGrad))).toBe(true);
    expect(() =>
      noGrad(() => {
        throw new Error("out");
      }),
    ).toThrow("out");
    expect(x.mul(2).requiresGrad).toBe(true);
  });

  test("gradients leaves .grad alone and marks unused inputs", () => {
    const [x, y] = [tensor([3]), tensor([4])];
    x.requiresGrad = true;
    y.requiresGrad = true;
    const [dx, dy] = gradients(x.mul(x), [x, y], tensor([1]));
    expect(dx?.toArray()).toEqual([6]);
    expect(dy).toBeNull();
    expect(x.grad).toBeNull();
  });
});

test("the random state can be seeded, saved and put back", () => {
  manualSeed(7);
  const first = ops.rand([4]).toArray();
  const state = getRngState();
  const second = ops.rand([4]).toArray();
  setRngState(state);
  expect(ops.rand([4]).toArray()).toEqual(second);
  manualSeed(7);
  expect(ops.rand([4]).toArray()).toEqual(first);
});

describe("lifetimes", () => {
  test("a scope frees what is not returned", () => {
    const before = liveTensors();
    const { a, list } = scope(() => {
      const x = tensor([1, 2]);
      const y = x.add(1);
      x.mul(3);
      return { a: y, list: [x.add(2)] };
    });
    expect(liveTensors()).toBe(before + 2);
    expect(a.toArray()).toEqual([2, 3]);
    a.dispose();
    list[0]?.dispose();
    expect(liveTensors()).toBe(before);
  });

  test("scopes nest: a result moves to the outer scope, which frees it", () => {
    const before = liveTensors();
    scope(() => {
      const inner = scope(() => tensor([1]));
      expect(inner.toArray()).toEqual([1]);
    });
    expect(liveTensors()).toBe(before);
  });

  test("keep outlives its scope, an error frees the rest", () => {
    const before = liveTensors();
    const kept = scope(() => {
      const x = keep(tensor([5]));
      tensor([6]);
      return () => x;
    })();
    expect(kept.item()).toBe(5);
    kept.dispose();
    expect(() =>
      scope(() => {
        tensor([1]);
        throw new Error("out");
      }),
    ).toThrow("out");
    expect(() => scope(async () => tensor([1]))).toThrow("synchronous");
    expect(liveTensors()).toBe(before);
  });

  test("use after disposal is a named error that says which tensor", () => {
    const x = tensor([1]);
    x.dispose();
    x.dispose();
    expect(x.disposed).toBe(true);
    expect(String(x)).toBe("Tensor(disposed)");
    expect(() => x.shape).toThrow(DisposedTensorError);
    expect(() => ops.add(tensor([1]), x)).toThrow(/aten::add.Tensor: other was disposed/);
    expect(() => ops.cat([tensor([1]), x])).toThrow(DisposedTensorError);
  });

  test("live bytes count a storage once", () => {
    const before = liveBytes();
    const x = ops.zeros([1000]);
    const view = x.narrow(0, 0, 10);
    expect(liveBytes() - before).toBe(4000);
    x.dispose();
    view.dispose();
    expect(liveBytes()).toBe(before);
  });

  test("a training loop of 1,000 steps does not grow", () => {
    const w = ops.zeros([16, 16]);
    w.requiresGrad = true;
    const step = () =>
      scope(() => {
        ops.randn([8, 16]).matmul(w).sum().backward();
        const grad = w.grad;
        if (!grad) throw new Error("no gradient");
        noGrad(() => ops.add_(w, grad, { alpha: -0.1 }));
        w.grad = null;
      });
    step();
    const [tensors, bytes] = [liveTensors(), liveBytes()];
    for (let i = 0; i < 1000; i++) step();
    expect([liveTensors(), liveBytes()]).toEqual([tensors, bytes]);
  });
});
