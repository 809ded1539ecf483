import { z } from "zod";
import { BASE_STATE } from "../training/state.js";

/** What a checkpoint's state must hold to be gone on from. */
export const SFT_STATE = BASE_STATE.extend({ fingerprint: z.string() });
