/**
 * Gradient checkpointing by layer (Chen et al. 2016, arXiv 1604.06174): the forward pass keeps only each layer's input; the backward
 * pass computes one layer again with gradients on, pushes the gradient through it, and goes on with the layer below. No graph spans
 * layers, so memory grows with the layers' inputs and what one layer holds; the price is a second forward pass.
 *
 * B rows, T tokens per row, D hidden size.
 */

import type { Attend } from "../model/attend.js";
import type { CausalLM, Pass } from "../model/decoder.js";
import { noGrad, scope, type Tensor } from "../torch/index.js";

/**
 * Forward through the layers, then `body` with the final hidden states, which must run the backward pass down to them, then backward
 * through the layers. Accumulates the same gradients as `body(model.forward(ids, attend))` with gradients on.
 */
export function forwardAndBackward<T>(
  model: CausalLM,
  ids_BT: Tensor,
  attend: Attend,
  body: (hidden_BTD: Tensor) => T,
): T {
  return scope(() => {
    const pass = model.begin(attend);
    const inputs = noGrad(() => layerInputs(model, ids_BT, pass));
    const last = asLeaf(inputs.pop()!);
    const result = body(model.finalNorm(last));
    let slope = last.grad;
    last.dispose();
    if (slope === null) return result;
    for (let index = inputs.length - 1; index >= 0; index--) {
      const above: Tensor = slope;
      slope = scope(() => backwardLayer(model, index, inputs[index]!, above, pass));
      above.dispose();
      inputs[index]!.dispose();
    }
    const embedded = model.embed(ids_BT);
    if (embedded.requiresGrad) embedded.backward(slope);
    return result;
  });
}

/** The input of each layer, and the output of the last. */
function layerInputs(model: CausalLM, ids_BT: Tensor, pass: Pass): Tensor[] {
  const states = [model.embed(ids_BT)];
  for (let index = 0; index < model.config.layers; index++) {
    states.push(scope(() => model.runLayer(index, states[index]!, pass)));
  }
  return states;
}

/** The gradient of the layer's output → of its input. */
function backwardLayer(model: CausalLM, index: number, input: Tensor, slope: Tensor, pass: Pass): Tensor {
  const x_BTD = asLeaf(input);
  model.runLayer(index, x_BTD, pass).backward(slope);
  return x_BTD.grad!;
}

function asLeaf(t: Tensor): Tensor {
  const leaf = t.detach();
  leaf.requiresGrad = true;
  return leaf;
}
