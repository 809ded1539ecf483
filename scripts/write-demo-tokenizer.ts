import { writeFileSync } from "node:fs";
import { tokenizerConfig, tokenizerJson } from "../src/demo/vocabulary.js";

/** Writes src/demo/tokenizer/ again after a change of its words: `npx tsx scripts/write-demo-tokenizer.ts`. */
const folder = new URL("../src/demo/tokenizer/", import.meta.url);
writeFileSync(new URL("tokenizer.json", folder), `${JSON.stringify(tokenizerJson(), null, 1)}\n`);
writeFileSync(new URL("tokenizer_config.json", folder), `${JSON.stringify(tokenizerConfig(), null, 2)}\n`);
