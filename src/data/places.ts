/** Where a row came from ("train.jsonl:12"), for messages; kept beside the row so that no column is invented. */
import type { Row } from "./types.js";

const places = new WeakMap<Row, string>();

export function setPlace(row: Row, place: string | undefined): Row {
  if (place !== undefined) places.set(row, place);
  return row;
}

export function placeOf(row: Row): string | undefined {
  return places.get(row);
}

/** "row 12 (train.jsonl:14)", for a 0-based index. */
export function rowName(row: Row, index: number | undefined): string {
  const number = index === undefined ? "a row" : `row ${index + 1}`;
  const place = placeOf(row);
  return place === undefined ? number : `${number} (${place})`;
}
