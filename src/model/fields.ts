/** Typed reading of a JSON object whose every complaint names the file, the field and the value. */
import { UserError } from "../errors.js";

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The most each number of a config can mean; all others DEFAULT_MOST. A config is other people's data: a layer number of 1e9 is told
 * before a list of so many layers is made.
 */
const MOST: Readonly<Record<string, number>> = {
  num_hidden_layers: 1024,
  num_attention_heads: 4096,
  num_key_value_heads: 4096,
  head_dim: 65_536,
  hidden_size: 2 ** 20,
  intermediate_size: 2 ** 22,
  vocab_size: 2 ** 24,
  rms_norm_eps: 1,
  rope_theta: 1e15,
  r: 65_536,
};
const DEFAULT_MOST = 1e9;
/** Token ids are below every vocabulary. */
const MOST_TOKEN_ID = 2 ** 24;

export class FieldReader {
  readonly raw: Record<string, unknown>;

  constructor(
    raw: unknown,
    private readonly path: string,
    private readonly prefix = "",
  ) {
    if (!isObject(raw)) throw this.error(`${prefix || "the file"} is not a JSON object`);
    this.raw = raw;
  }

  error(message: string): UserError {
    return new UserError(`${this.path}: ${message}`);
  }

  /** A nested object, or undefined when absent or null. */
  object(key: string): FieldReader | undefined {
    const value = this.raw[key];
    return value == null ? undefined : new FieldReader(value, this.path, `${this.prefix}${key}.`);
  }

  number(key: string, fallback?: number): number {
    const value = this.raw[key] ?? fallback;
    if (value === undefined) throw this.error(`${this.prefix}${key} is missing`);
    if (typeof value !== "number" || !Number.isFinite(value) || value <= 0) {
      throw this.error(`${this.prefix}${key} must be a positive number, not ${JSON.stringify(value)}`);
    }
    const most = MOST[key] ?? DEFAULT_MOST;
    if (value > most) throw this.error(`${this.prefix}${key} is ${value}, ${most} at most`);
    return value;
  }

  integer(key: string, fallback?: number): number {
    const value = this.number(key, fallback);
    if (!Number.isInteger(value)) throw this.error(`${this.prefix}${key} must be a whole number, not ${value}`);
    return value;
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.raw[key] ?? fallback;
    if (typeof value !== "boolean")
      throw this.error(`${this.prefix}${key} must be true or false, not ${JSON.stringify(value)}`);
    return value;
  }

  /** One id, a list of ids, or none. */
  tokenIds(key: string): number[] {
    const value = this.raw[key] ?? [];
    const ids: unknown[] = Array.isArray(value) ? value : [value];
    return ids.map((id) => {
      if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < MOST_TOKEN_ID) return id;
      throw this.error(`${this.prefix}${key} must be a token id or a list of them, not ${JSON.stringify(value)}`);
    });
  }

  /** Refuses every value but the one we compute; absent means `fallback`. */
  only(key: string, supported: string | number | boolean, fallback: string | number | boolean): void {
    const value = this.raw[key] ?? fallback;
    if (value !== supported) {
      throw this.error(
        `${this.prefix}${key} ${JSON.stringify(value)} is not supported; supported: ${JSON.stringify(supported)}`,
      );
    }
  }

  /** Refuses any value at all. */
  without(key: string): void {
    const value = this.raw[key];
    if (value != null) throw this.error(`${this.prefix}${key} ${JSON.stringify(value)} is not supported`);
  }

  /** A list of `count` positive numbers. */
  numbers(key: string, count: number): number[] {
    const value = this.raw[key];
    const valid =
      Array.isArray(value) &&
      value.length === count &&
      value.every((x: unknown) => typeof x === "number" && Number.isFinite(x) && x > 0);
    if (!valid) throw this.error(`${this.prefix}${key} must be a list of ${count} positive numbers`);
    return value;
  }
}
