/** The demo's task and the small warmed-up model it starts from: something to try code on, without a download. */
export { testProblems } from "./data.js";
export { DEMO_BASE } from "./demo.js";
export { generateProblems, type Problem } from "./problems.js";
