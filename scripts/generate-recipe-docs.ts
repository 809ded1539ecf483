/** Writes docs/recipe.md from the recipe's schema; test/recipe/docs.test.ts checks that it is current. */
import { writeFileSync } from "node:fs";
import { recipeDocs } from "../src/recipe/docs.js";

writeFileSync(new URL("../docs/recipe.md", import.meta.url), recipeDocs());
