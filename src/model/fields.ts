/** Typed reading of a JSON object whose every complaint names the file, the field and the value. */
import { UserError } from "../errors.js";

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

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
      if (typeof id === "number" && Number.isInteger(id) && id >= 0) return id;
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
