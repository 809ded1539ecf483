/** Steps that a device captures, refuses to capture, or fails in: a device made up here, which runs what it captured when it replays. */
import { afterAll, describe, expect, test } from "vitest";
import { PagedCache } from "../../../src/engine/paged/cache.js";
import { DecodeBuffers } from "../../../src/engine/paged/graph-buffers.js";
import { type Capturing, GraphedSteps } from "../../../src/engine/paged/graph-step.js";
import { DEFAULT_SAMPLING } from "../../../src/engine/types.js";
import { loadModel } from "../../../src/model/index.js";
import { inTurn } from "../../../src/torch/cuda.js";
import { keep, noGrad, ops, scope, TorchError } from "../../../src/torch/index.js";
import { fixtureDir } from "../../model/fixtures.js";

const model = loadModel(fixtureDir("qwen2-tied"), { dtype: "float32" });
afterAll(() => model.dispose());

const refusal = new TorchError("cudaGraphBegin", "", "operation not permitted when stream is capturing");

function device({ refuses }: { refuses: boolean }) {
  const events: string[] = [];
  const capturing: Capturing = {
    warmUp: (body) => {
      events.push("warm up");
      body();
    },
    failed: (error) => events.push(`failed: ${error.message}`),
    newGraph: () => {
      let captured = () => {};
      return {
        capture: (body) => {
          if (refuses) throw refusal;
          captured = body;
          events.push("capture");
        },
        replay: () => {
          events.push("replay");
          captured();
        },
        dispose: () => events.push("dispose"),
      };
    },
  };
  return { capturing, events };
}

/** Ids of four greedy steps for two rows. */
function fourSteps(capture: boolean | Capturing) {
  return noGrad(() =>
    scope(() => {
      const { layers, kvHeads, headDim } = model.config;
      const shape = { layers, kvHeads, headDim, dtype: model.dtype, device: "cpu" };
      const cache = new PagedCache({ ...shape, blockSize: 16, maxLength: 16 });
      const none = () => keep(ops.zeros([1, kvHeads, 1, headDim]));
      const [keys, values] = [0, 1].map(() => Array.from({ length: layers }, none));
      cache.append({ keys: keys!, values: values!, lengths: [1] }, [{ prompt: 0, count: 2 }]);
      const buffers = new DecodeBuffers(2, cache.width, "cpu");
      buffers.setTables(cache.tables(2));
      ops.fill_(buffers.ids, 5);
      const params = { ...DEFAULT_SAMPLING, temperature: 0 };
      const steps = new GraphedSteps({ model, cache, buffers, kernel: "math", params }, capture);
      const ids = Array.from({ length: 4 }, () => {
        steps.run(2);
        return buffers.ids.toArray();
      });
      const { failure } = steps;
      steps.dispose();
      cache.clear();
      buffers.dispose();
      return { ids, failure };
    }),
  );
}

describe("decode steps", () => {
  const { ids: expected } = fourSteps(false);

  test("are warmed up, captured once and replayed", () => {
    const { capturing, events } = device({ refuses: false });
    expect(fourSteps(capturing)).toEqual({ ids: expected, failure: null });
    expect(events).toEqual(["warm up", "capture", "replay", "replay", "replay", "dispose"]);
  });

  test("go on as they are where capturing fails, which is said once with its cause; none is lost or made twice", () => {
    const { capturing, events } = device({ refuses: true });
    expect(fourSteps(capturing)).toEqual({ ids: expected, failure: refusal });
    expect(events).toEqual([
      "warm up",
      "dispose",
      "failed: cudaGraphBegin: operation not permitted when stream is capturing",
    ]);
  });
});

test("what broke a capture is thrown, not what ending the broken capture throws", () => {
  const broke = () => {
    throw new Error("cause");
  };
  const ended = () => {
    throw new Error("consequence");
  };
  expect(() => inTurn(broke, ended)).toThrow("cause");
  expect(() => inTurn(() => {}, ended)).toThrow("consequence");
  expect(() => inTurn(broke, () => {})).toThrow("cause");
});
