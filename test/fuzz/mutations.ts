/** Damage for valid files, from a seed: bytes overwritten, taken out, doubled or cut off, and values of a JSON text replaced by edges. */
import fc from "fast-check";

export const EDGES: readonly unknown[] = [
  ...[null, true, false, 0, -0, 1, -1, 0.5, 1e-308, -1e308, 1e308, 2 ** 31, 2 ** 32, 2 ** 53, 1e9, 1e12],
  ...["", "x", "\u0000", "../..", "1e9", "ä".repeat(3000), [], {}, [null], [[]], { x: 1 }, [1e9, -1]],
];

interface Blow {
  kind: "set" | "cut" | "remove" | "double" | "fill";
  at: number;
  length: number;
  byte: number;
}

const blow: fc.Arbitrary<Blow> = fc.record({
  kind: fc.constantFrom("set", "set", "cut", "remove", "double", "fill"),
  // Headers and footers are where formats keep their numbers.
  at: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.01, 0.99, 0.999)),
  length: fc.integer({ min: 1, max: 16 }),
  byte: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 127, 128, 255)),
});

export const blows: fc.Arbitrary<Blow[]> = fc.array(blow, { minLength: 1, maxLength: 4 });

export function damaged(bytes: Buffer, list: readonly Blow[]): Buffer {
  let result = Buffer.from(bytes);
  for (const { kind, at, length, byte } of list) {
    const start = Math.floor(at * result.length);
    const end = Math.min(result.length, start + length);
    if (kind === "set") result.fill(byte, start, Math.min(result.length, start + 1));
    else if (kind === "fill") result.fill(byte, start, end);
    else if (kind === "cut") result = result.subarray(0, start);
    else if (kind === "remove") result = Buffer.concat([result.subarray(0, start), result.subarray(end)]);
    else result = Buffer.concat([result.subarray(0, end), result.subarray(start)]);
  }
  return result;
}

export interface Replacement {
  /** Which of the text's values, as a share of their number. */
  at: number;
  value: unknown;
  /** Take it out instead. */
  remove: boolean;
}

export const replacement: fc.Arbitrary<Replacement> = fc.record({
  at: fc.double({ min: 0, max: 0.999999, noNaN: true }),
  value: fc.constantFrom(...EDGES),
  remove: fc.boolean(),
});

type Place = [holder: Record<string, unknown>, key: string];

function places(value: unknown, depth = 0): Place[] {
  if (typeof value !== "object" || value === null) return [];
  const holder = value as Record<string, unknown>;
  // A vocabulary's entries are alike: some stand for all, so that the settings are met as well.
  const keys = Object.keys(holder).slice(0, depth === 0 ? 100 : 12);
  return keys.flatMap((key) => [[holder, key] as Place, ...places(holder[key], depth + 1)]);
}

/** A copy with one value replaced. */
export function edited(json: unknown, { at, value, remove }: Replacement): unknown {
  const copy = structuredClone(json);
  const all = places(copy);
  const [holder, key] = all[Math.floor(at * all.length)]!;
  if (remove && !Array.isArray(holder)) delete holder[key];
  else holder[key] = value;
  return copy;
}
