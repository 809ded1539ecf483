/** Which attention reads a paged cache on a device: the best one whose numbers are right in a small trial on that device. */
import { isCuda } from "../../torch/cuda.js";
import { type DType, noGrad, ops, scope, type Tensor, TorchError, tensor } from "../../torch/index.js";
import { furthest, noise } from "../../torch/trial.js";
import { cacheReader, FLASH_BLOCK, flashSchema, type Heads, type PagedKernel } from "./attend.js";
import type { PagedCache } from "./cache.js";

export interface KernelChoice {
  kernel: PagedKernel;
  /** Why each better one was passed over. */
  reasons: string[];
}

const known = new Map<string, KernelChoice>();

/** The kernel for a model of these heads; tried once per process. */
export function pagedKernel(device: string, dtype: DType, heads: Heads): PagedKernel {
  return chooseKernel(device, dtype, heads).kernel;
}

export function chooseKernel(device: string, dtype: DType, heads: Heads): KernelChoice {
  if (!isCuda(device)) return { kernel: "math", reasons: [] };
  if (dtype !== "bfloat16" && dtype !== "float16")
    return { kernel: "math", reasons: [`FlashAttention knows no ${dtype}`] };
  const key = `${device} ${dtype} ${heads.heads}/${heads.kvHeads} × ${heads.headDim} ${hasWindows(heads)}`;
  const choice = known.get(key) ?? tryKernels(device, dtype, heads);
  known.set(key, choice);
  return choice;
}

function tryKernels(device: string, dtype: DType, heads: Heads): KernelChoice {
  const reasons: string[] = [];
  for (const kernel of ["flash-paged", "flash-runs"] as const) {
    const reason = unfit(kernel, heads, flashSchema()) ?? trialOf(kernel, { device, dtype, heads });
    if (reason === null) return { kernel, reasons };
    reasons.push(`${kernel}: ${reason}`);
  }
  return { kernel: "math", reasons };
}

/** What the operator's schema alone tells; null: nothing against it. */
export function unfit(kernel: "flash-paged" | "flash-runs", shape: Heads, schema: string): string | null {
  const argument = kernel === "flash-paged" ? "block_table" : "seqused_k";
  if (!schema.includes(argument)) return `this libtorch's operator has no ${argument}`;
  const { heads, kvHeads } = shape;
  const alone = heads === kvHeads || hasWindows(shape);
  return kernel === "flash-paged" && alone && !schema.includes("num_splits")
    ? "this libtorch writes only the first sequence where heads share no keys, or with windows (pytorch #194167)"
    : null;
}

/** Tokens in the cache of each row of a trial: few of them, around the ends of blocks, several blocks. */
export const TRIAL_LENGTHS = [0, 1, 254, 255, 256, 2 * FLASH_BLOCK + 88];

export interface Trial {
  device: string;
  dtype: DType;
  heads: Heads;
  /** Of the rows; TRIAL_LENGTHS by default. */
  lengths?: readonly number[];
}

/** null if the kernel gives what plain products in float32 give; else what is wrong. */
export function trialOf(kernel: PagedKernel, trial: Trial, reader = cacheReader): string | null {
  return noGrad(() =>
    scope(() => {
      try {
        return compare(kernel, trial, reader);
      } catch (error) {
        if (error instanceof TorchError) return error.message;
        throw error;
      }
    }),
  );
}

function compare(
  kernel: PagedKernel,
  { device, dtype, heads, lengths = TRIAL_LENGTHS }: Trial,
  reader: typeof cacheReader,
): string | null {
  const cache = trialCache(device, dtype, heads, lengths);
  const tables = trialTables(cache, device, lengths);
  // So large that a query picks few keys: then every mistake shows.
  const query = noise([lengths.length, heads.heads, heads.headDim], 3, 9).to(dtype).to(device);
  const read = reader(cache, tables, kernel);
  const windows = hasWindows(heads) ? [undefined, TRIAL_WINDOW] : [undefined];
  const errors = windows.map((window) =>
    furthest(read({ index: 0, window }, query), reference(query, cache, { ...tables, of: lengths }, window)),
  );
  const error = Math.max(...errors);
  // Values are up to 1; half precision keeps 2 to 3 digits.
  return error < 0.03
    ? null
    : `its numbers are off by ${error.toPrecision(2)} for ${heads.heads}/${heads.kvHeads} heads`;
}

const hasWindows = ({ kinds = [] }: Heads): boolean => kinds.some(({ window }) => window !== undefined);

/** Shorter than the longer rows of the trial, and no multiple of anything. */
const TRIAL_WINDOW = 301;

type TrialCache = Pick<PagedCache, "shape" | "width" | "keys" | "values">;

/** Rows take runs of blocks, so that every kernel can read them; block 0 is nobody's. */
function trialCache(device: string, dtype: DType, { kvHeads, headDim }: Heads, lengths: readonly number[]): TrialCache {
  const width = Math.ceil((Math.max(...lengths) + 1) / FLASH_BLOCK);
  const shape = [1 + lengths.length * width, FLASH_BLOCK, kvHeads, headDim];
  const [keys, values] = [1, 2].map((salt) => noise(shape, salt).to(dtype).to(device));
  return {
    shape: { layers: 1, kvHeads, headDim, dtype, device, blockSize: FLASH_BLOCK, maxLength: width * FLASH_BLOCK },
    width,
    keys: () => keys!,
    values: () => values!,
  };
}

function trialTables({ width }: TrialCache, device: string, lengths: readonly number[]) {
  const blocks = Int32Array.from({ length: lengths.length * width }, (_, i) => 1 + i);
  return {
    blocks: tensor(blocks, [lengths.length, width]).to(device),
    lengths: tensor([...lengths], [lengths.length, 1], "int64").to(device),
  };
}

/** Row by row, head by head, in float32 on the CPU. */
function reference(
  query: Tensor,
  cache: TrialCache,
  { blocks, of: lengths }: { blocks: Tensor; of: readonly number[] },
  window = Number.POSITIVE_INFINITY,
): Tensor {
  const [q_BHK, keys, values] = [query, cache.keys(0), cache.values(0)].map((t) => t.to("float32").to("cpu"));
  const repeats = q_BHK!.size(1) / cache.shape.kvHeads;
  const rows = lengths.map((length, row) => {
    const mine = blocks.to("cpu").to("int64").select(0, row);
    const seen = Math.min(window, length + 1);
    const of = (t: Tensor) => {
      const all = t.indexSelect(0, mine).reshape(-1, t.size(2), t.size(3));
      const visible = all
        .narrow(0, length + 1 - seen, seen)
        .transpose(0, 1)
        .unsqueeze(1);
      return visible.expand(-1, repeats, -1, -1).reshape(-1, seen, t.size(3));
    };
    const scores_H1C = ops
      .bmm(q_BHK!.select(0, row).unsqueeze(1), of(keys!).transpose(1, 2))
      .div(Math.sqrt(q_BHK!.size(2)));
    return ops.bmm(scores_H1C.softmax(-1), of(values!)).squeeze(1);
  });
  return ops.cat(rows.map((t) => t.unsqueeze(0)));
}
