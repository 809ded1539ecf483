import { fromDecimal, multiply, one, power as powerOf, type Rational } from "../value/rational.js";

/**
 * Units that may stand behind a number without being part of the answer. The value is the unit's canonical name and
 * its factor, so that 1 m and 100 cm can be told apart from 1 m and 1 cm.
 */
export interface Unit {
  /** Dimension: two different known dimensions never match. */
  dimension: string;
  /** How many base units of the dimension one of it is. */
  factor: Rational;
}

const table: Record<string, string> = {
  length:
    "m:1 meter:1 metre:1 km:1000 kilometer:1000 cm:0.01 centimeter:0.01 mm:0.001 millimeters:0.001 nm:0.000000001 inch:0.0254 inches:0.0254 in:0.0254 ft:0.3048 foot:0.3048 feet:0.3048 yd:0.9144 yard:0.9144 mi:1609.344 mile:1609.344",
  time: "s:1 sec:1 second:1 min:60 minute:60 h:3600 hr:3600 hour:3600 day:86400 week:604800 month:2629800 year:31557600 yr:31557600 ms:0.001",
  mass: "g:1 gram:1 kg:1000 kilogram:1000 mg:0.001 lb:453.59237 pound:453.59237 oz:28.349523125 ounce:28.349523125 ton:1000000",
  volume:
    "L:1 l:1 liter:1 litre:1 mL:0.001 ml:0.001 milliliters:0.001 gal:3.785411784 gallon:3.785411784 cup:0.2365882365 quart:0.946352946",
  money: "dollar:1 usd:1 cent:0.01",
  euro: "euro:1 eur:1",
  yen: "yen:1",
  rupee: "rupee:1",
  angle: "degree:1 deg:1 rad:57.295779513 radian:57.295779513",
  other:
    "unit:1 square:1 sq:1 squared:1 cubic:1 cubed:1 people:1 students:1 ways:1 points:1 digits:1 mph:1 kmh:1 cm2:1 m2:1 per:1 times:1 N:1 J:1 W:1 V:1 K:1 Pa:1 Hz:1 kHz:1 MHz:1 eV:1 keV:1 MeV:1 kJ:1 mol:1 amps:1 volts:1 watts:1 joules:1 newtons:1 inhabitants:1 bacteria:1 cookies:1 apples:1 children:1 books:1 boxes:1 pages:1 games:1",
};

const known = new Map<string, Unit>();
for (const [dimension, entries] of Object.entries(table)) {
  for (const entry of entries.split(" ")) {
    const [name, factor] = entry.split(":") as [string, string];
    const [whole, fraction = ""] = factor.split(".");
    known.set(name, { dimension, factor: fromDecimal(whole!, fraction) });
  }
}

/** The unit of that name, also in the plural; capitals matter only where a lower-case letter is another unit. */
const findUnit = (name: string): Unit | undefined =>
  known.get(name) ??
  known.get(name.toLowerCase()) ??
  (/..s$/.test(name) ? known.get(name.toLowerCase().slice(0, -1)) : undefined);

/** Unit words written without `\text`: single letters are not among them, they could be variables. */
export const isUnitWord = (name: string): boolean => name.length > 1 && findUnit(name) !== undefined;

/** A product of powers of dimensions, with the factor to their base units. */
export interface Measure {
  dimensions: string;
  factor: Rational;
}

const powers: Record<string, number> = { square: 2, sq: 2, squared: 2, cubic: 3, cubed: 3 };

/** What `square feet`, `cm^2`, `m / s`, `\text{miles per hour}` measure; undefined when a word is not known. */
export function measure(unit: string): Measure | undefined {
  const dimensions = new Map<string, number>();
  let factor = one;
  let sign = 1;
  let next = 1;
  for (const [, word, exponent, mark] of unit.matchAll(/([a-zA-Z]+)\.?\s*(?:\^\{?\s*(-?\d))?|(\S)/g)) {
    if (mark === "/" || word === "per") sign = -1;
    else if (word !== undefined && word in powers) next = powers[word]!;
    else if (word !== undefined) {
      const found = findUnit(word);
      if (!found || found.dimension === "other") return undefined;
      const power = sign * (exponent ? Number(exponent) : next);
      dimensions.set(found.dimension, (dimensions.get(found.dimension) ?? 0) + power);
      factor = multiply(factor, powerOf(found.factor, BigInt(power)) ?? one);
      next = 1;
    } else if (mark !== "*" && mark !== "-") return undefined;
  }
  return { dimensions: [...dimensions].sort().join(" "), factor };
}
