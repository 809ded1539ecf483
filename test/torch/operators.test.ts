/** The operators of our own with the instruction set libtorch chooses for this processor. */
import "../support/operator-cases.js";
