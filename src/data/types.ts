/** One example of a dataset: column name to value, nested values as plain JSON. */
export type Row = Record<string, unknown>;
