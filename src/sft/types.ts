/** One sequence to learn: `ids` from index `from` (≥ 1) on are learnt, what stands before is only read. */
export interface Example {
  ids: number[];
  from: number;
}

export const learntTokens = (example: Example): number => example.ids.length - example.from;
