import { native } from "./native.js";

export const torchVersion = (): string => native.version();
/** The vector instructions libtorch chose, e.g. AVX512. */
export const cpuCapability = (): string => native.cpuCapability();
export const getNumThreads = (): number => native.getNumThreads();
export const setNumThreads = (n: number): void => native.setNumThreads(n);
export const cudaDeviceCount = (): number => native.cudaDeviceCount();
