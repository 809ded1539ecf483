export { loadGrpoRecipe, loadSftRecipe, type Resolved, resolveGrpoRecipe, resolveSftRecipe } from "./load.js";
export { printRecipe } from "./print.js";
export { rewardOptions } from "./rewards.js";
export { GRPO, type GrpoRecipe, type RecipeKind, SFT, type SftRecipe } from "./schema.js";
export { type BatchShape, batchShape } from "./shape.js";
