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
    "1 m meter metre; 1000 km kilometer; 0.01 cm centimeter; 0.001 mm millimeters; 0.0254 inch inches in; 0.3048 ft foot feet; 0.9144 yd yard; 1609.344 mi mile",
  time: "1 s sec second; 60 min minute; 3600 h hr hour; 86400 day; 604800 week; 2629800 month; 31557600 year yr",
  mass: "1 g gram; 1000 kg kilogram; 0.001 mg; 453.59237 lb pound; 28.349523125 oz ounce; 1000000 ton",
  volume: "1 L l liter litre; 0.001 mL ml milliliters; 3.785411784 gal gallon",
  money: "1 dollar usd; 0.01 cent",
  euro: "1 euro eur",
  yen: "1 yen",
  rupee: "1 rupee",
  angle: "1 degree deg; 57.295779513 rad radian",
  other:
    "1 unit square sq squared cubic cubed people students ways points digits mph kmh cm2 m2 per times N J W V K Pa Hz kHz MHz eV keV MeV kJ mol amps volts watts joules newtons",
};

const known = new Map<string, Unit>();
for (const [dimension, sizes] of Object.entries(table)) {
  for (const size of sizes.split("; ")) {
    const [factor, ...names] = size.split(" ");
    const [whole, fraction = ""] = factor!.split(".");
    for (const name of names) known.set(name, { dimension, factor: fromDecimal(whole!, fraction) });
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
