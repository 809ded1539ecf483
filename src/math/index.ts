/**
 * Answers: extract, parse, compare. Pure TypeScript without dependencies, for Node and the browser.
 * docs/answers.md says which rules hold and where they differ from Math-Verify.
 */
export type { Node } from "./ast.js";
export { render } from "./ast.js";
export type { Outcome } from "./compare/verdict.js";
export { type Extraction, extract } from "./extract.js";
export { defaultLimits, type Limits } from "./limits.js";
export { evaluation, type Options, type OptionsInput, type PresetName, presets, reward } from "./options.js";
export { canParse, type Explanation, explain, parse, verify } from "./verify.js";
