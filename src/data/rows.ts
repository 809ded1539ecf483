import { UserError } from "../errors.js";
import { mapWithTimeLimits } from "../text/time-limit.js";
import { rowName } from "./places.js";
import type { Row } from "./types.js";

/**
 * `rows.map(each)`, for what goes through a tokenizer or a chat template: their time limits are set up for many rows at once, and what they
 * refuse names its row. `indices` are the rows' places in the data set where that is not their place in the list.
 */
export function mapRows<R>(
  rows: readonly Row[],
  each: (row: Row, index: number) => R,
  indices?: readonly number[],
): R[] {
  return mapWithTimeLimits(rows, (row, place) => {
    const index = indices?.[place] ?? place;
    try {
      return each(row, index);
    } catch (error) {
      const name = rowName(row, index);
      if (!(error instanceof UserError) || error.message.startsWith(name)) throw error;
      throw new UserError(`${name}: ${error.message}`);
    }
  });
}
