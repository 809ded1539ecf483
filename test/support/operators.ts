/** Prints what our operators give on fixed numbers, for a comparison between instruction sets (ATEN_CPU_CAPABILITY). */
import { gradients, manualSeed, ops, type Tensor, tensor } from "../../src/torch/index.js";

manualSeed(3);
const out: Record<string, number[]> = {};
for (const dtype of ["float32", "bfloat16"] as const) {
  const leaf = (...shape: number[]): Tensor => {
    const t = ops.randn(shape).to(dtype).detach();
    t.requiresGrad = true;
    return t;
  };
  const both = (name: string, y: Tensor, leaves: Tensor[]) => {
    const grads = gradients(y, leaves, ops.sin(y.detach()));
    out[`${name}, ${dtype}`] = [y, ...grads].flatMap((t) => t!.to("float32").toArray());
  };
  const gateUp = leaf(5, 96);
  both("silu_mul", ops.siluMul(gateUp), [gateUp]);
  const [x, delta, weight] = [leaf(5, 48), leaf(5, 48), leaf(48)];
  both("add_rms_norm", ops.addRmsNorm(x, delta, weight, 1e-6)[1], [x, delta, weight]);
  const qkv = leaf(50, 6 * 32);
  const table = ops.randn([40, 32]).to(dtype);
  const [starts, trees] = [
    [0, 11, 35, 50],
    [0, 2, 3],
  ].map((x) => tensor(x, undefined, "int64"));
  both("packed_attention", ops.packedAttention(qkv, starts!, trees!, table, table, 4, 1), [qkv]);
  const keys = ops.randn([2, 1, 32, 64]).to(dtype);
  const values = ops.randn([2, 1, 64, 32]).to(dtype);
  const begin = tensor([33, 40], undefined, "int64");
  const attended = ops.decodeAttention(qkv.detach().narrow(0, 0, 2), keys, values, begin, 60, table, table, 4);
  out[`decode_attention, ${dtype}`] = [attended, keys, values].flatMap((t) => t.to("float32").toArray());
  const linear = ops.linearLayer(x.detach().narrow(0, 0, 3), ops.randn([21, 48]).to(dtype));
  out[`linear, ${dtype}`] = linear.to("float32").toArray();
  const drawn = ops.draw(ops.randn([9, 77]).to(dtype), ops.rand([9]), 0.7);
  out[`draw, ${dtype}`] = drawn.flatMap((t) => t.to("float32").toArray());
}
console.log(JSON.stringify(out));
