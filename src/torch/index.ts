/** libtorch as TypeScript: tensors, operators, autograd, optimizers, safetensors. */
export { AdamW, type AdamWOptions } from "./adamw.js";
export { backward, enableGrad, gradEnabled, gradients, noGrad } from "./autograd.js";
export { callOp, callTensorOp } from "./call.js";
export { clipGradNorm } from "./clip.js";
export {
  CudaGraph,
  type CudaMemory,
  cudaDevice,
  cudaMemory,
  DeviceEvent,
  emptyCache,
  emptyCacheIfTight,
  isCuda,
  onCaptureStream,
  resetPeakMemory,
  synchronize,
  upload,
} from "./cuda.js";
export { deterministically, fixWorkspaces } from "./deterministic.js";
export { type DType, dtypeCode, ITEM_BYTES, isFloating, type TypedArray } from "./dtype.js";
export { DisposedTensorError, isOutOfGpuMemory, TorchError } from "./errors.js";
export * as ops from "./ops.generated.js";
export { getRngState, manualSeed, setRngState } from "./random.js";
export { keep, liveBytes, liveTensors, scope } from "./scope.js";
export {
  cpuCapability,
  cudaDeviceCount,
  getNumThreads,
  type OwnOperator,
  ownOperators,
  runsOwn,
  setNumThreads,
  setOwnOperators,
  torchVersion,
} from "./system.js";
export { Tensor, tensor } from "./tensor.js";
