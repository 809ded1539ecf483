import { writeFileSync } from "node:fs";
import { tokenizerConfig, tokenizerJson } from "./vocabulary.js";

/** Writes src/demo/tokenizer/ again: `npx tsx src/demo/write-tokenizer.ts`. */
const folder = new URL("./tokenizer/", import.meta.url);
writeFileSync(new URL("tokenizer.json", folder), `${JSON.stringify(tokenizerJson(), null, 1)}\n`);
writeFileSync(new URL("tokenizer_config.json", folder), `${JSON.stringify(tokenizerConfig(), null, 2)}\n`);
