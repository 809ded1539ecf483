import type { ChatMessage } from "../text/types.js";

/** One example of a dataset: column name to value, nested values as plain JSON. */
export type Row = Record<string, unknown>;

export interface Dataset {
  /** As the recipe names it. */
  name: string;
  /** The files the rows were read from, in order. */
  files: string[];
  rows: Row[];
  /** Every column that occurs in a row, in order of appearance. */
  columns: string[];
}

/** A prompt ready to be completed. */
export interface Prompt {
  /** 0-based place of its row in the data set, dropped ones counted. */
  index: number;
  /** What the row gave: text, or messages before the chat template. */
  source: string | ChatMessage[];
  /** What the model sees. */
  text: string;
  /** `text` as tokens, shape [prompt length]. */
  ids: number[];
  row: Row;
}
