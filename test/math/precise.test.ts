/** Constants to 50 digits. The digits are mpmath's (1.3, mp.dps = 62). */
import { describe, expect, test } from "vitest";
import { defaultLimits, explain, parse } from "../../src/math/index.js";
import { Budget } from "../../src/math/limits.js";
import { preciseValue } from "../../src/math/value/constants.js";
import { scale } from "../../src/math/value/precise.js";

function digits(latex: string): string {
  const node = parse(latex);
  const value = node && preciseValue(node, new Budget(defaultLimits));
  if (!value) return "undefined";
  const fixed = ((value.f * 10n ** 50n) / (1n << scale)).toString().replace("-", "");
  const text = fixed.padStart(51, "0");
  // The last digits of the 50 may be rounded either way.
  return `${value.f < 0n ? "-" : ""}${text.slice(0, -50)}.${text.slice(-50, -4)}`;
}

test.each([
  ["\\pi", "3.1415926535897932384626433832795028841971693993"],
  ["e", "2.7182818284590452353602874713526624977572470936"],
  ["\\ln 2", "0.6931471805599453094172321214581765680755001343"],
  ["\\sin 1", "0.8414709848078965066525023216302989996225630607"],
  ["\\cos 1", "0.5403023058681397174009366074429766037323104206"],
  ["\\sin 100", "-0.5063656411097587936565576104597854320650327212"],
  ["\\arctan 2", "1.1071487177940905030170654601785370400700476454"],
  ["\\arccos 0.3", "1.2661036727794991112593187304122222751440246679"],
  ["\\ln 1000", "6.9077552789821370520539743640530926228033044658"],
  ["2^{\\sqrt 2}", "2.6651441426902251886502972498731398482742113137"],
  ["\\sqrt[3]{5}", "1.7099759466766969893531088725438601098680551105"],
  ["\\tan 2", "-2.1850398632615189916433061023136825434320177462"],
  ["\\sinh 1", "1.1752011936438014568823818505956008151557179813"],
  ["\\ln 0.001", "-6.9077552789821370520539743640530926228033044658"],
  ["e^{\\pi\\sqrt{163}}", "262537412640768743.9999999999992500725971981856888793538563"],
])("%s = %s…", (latex, expected) => {
  expect(digits(latex).slice(0, expected.length)).toBe(expected);
});

describe("what double precision cannot tell apart", () => {
  test.each([
    ["\\sqrt{10^{30}+1}", "\\sqrt{10^{30}+2}", "different"],
    ["1+10^{-20}\\sqrt{2}", "1", "different"],
    ["e^{50}\\sin 1+1", "e^{50}\\sin 1", "different"],
    ["e^{\\pi\\sqrt{163}}", "262537412640768744", "different"],
    ["\\sqrt{2}\\cdot 10^{30}", "\\sqrt{2\\cdot10^{60}}", "equal"],
    ["\\sin\\frac{\\pi}{5}", "\\frac{\\sqrt{10-2\\sqrt5}}{4}", "equal"],
    ["\\arctan 1+\\arctan 2+\\arctan 3", "\\pi", "equal"],
    ["\\sqrt[3]{2+\\sqrt5}+\\sqrt[3]{2-\\sqrt5}", "1", "equal"],
  ])("%s and %s are %s", (a, b, verdict) => {
    expect(explain(a, `\\boxed{${b}}`).verdict).toBe(verdict);
  });
});
