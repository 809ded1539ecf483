/** The recipes of Open-RS: facts of the paper's repository and of the TRL it pinned, not of our schema. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { batchShape, loadGrpoRecipe, rewardOptions } from "../../src/recipe/index.js";

const recipe = (name: string) => fileURLToPath(new URL(`../../recipes/${name}.yaml`, import.meta.url));
const original = fileURLToPath(new URL("../fixtures/recipe/open-rs-style.yaml", import.meta.url));

/** Read in huggingface/trl at 69ad852. */
const TRL_OF_THAT_TIME = {
  beta: 0.04,
  epsilon: 0.2,
  num_iterations: 1,
  loss_type: "bnpo",
  scale_rewards: "group",
  logprob_temperature: 1,
};

describe("recipes/open-rs*.yaml", () => {
  test.each([
    [
      "open-rs1",
      { dataset_name: "knoveleng/open-s1", reward_funcs: ["accuracy", "format"], max_completion_length: 4096 },
    ],
    [
      "open-rs2",
      { dataset_name: "knoveleng/open-rs", reward_funcs: ["accuracy", "format"], max_completion_length: 3584 },
    ],
    [
      "open-rs3",
      {
        dataset_name: "knoveleng/open-rs",
        reward_funcs: ["format", "cosine"],
        reward_weights: [1, 2],
        cosine_max_len: 3584,
      },
    ],
  ])("%s", (name, facts) => {
    const { recipe: found, inert } = loadGrpoRecipe(recipe(name));
    expect(inert.size).toBe(0);
    expect(found).toMatchObject({
      ...TRL_OF_THAT_TIME,
      ...facts,
      learning_rate: 1e-6,
      warmup_ratio: 0.1,
      temperature: 0.7,
    });
    expect(found.system_prompt).toContain("within \\boxed{{}} .");
    expect(batchShape(found)).toEqual({
      microBatch: 6,
      microBatchesPerStep: 12,
      completionsPerStep: 72,
      completionsPerGeneration: 72,
      promptsPerGeneration: 12,
      microBatchesPerGeneration: 4,
      stepsPerGeneration: 1,
    });
  });

  test("Open-RS3's rewards keep the original's quirks", () => {
    expect(rewardOptions(loadGrpoRecipe(recipe("open-rs3")).recipe)).toMatchObject({
      cosine_length_unit: "characters",
      cosine_clamp: false,
      gold_unparseable: "score_1",
      cosine_min_value_wrong: 0,
      cosine_max_value_wrong: -0.5,
    });
  });
});

describe("a recipe file of that time, as it is", () => {
  const resolved = loadGrpoRecipe(original);

  test("means what it meant: vllm_device dates it", () => {
    expect(resolved.recipe).toMatchObject({
      ...TRL_OF_THAT_TIME,
      use_bias_correction_kl: false,
      on_long_prompt: "cut",
    });
    expect(resolved.recipe).toMatchObject({
      dtype: "bfloat16",
      eval_strategy: "no",
      lr_scheduler_kwargs: { min_lr_rate: 0.1 },
    });
    expect(resolved.notes[0]).toContain("beta 0.04");
    expect(resolved.notes[1]).toContain("--num_processes 3");
  });

  test("unless told otherwise", () => {
    const today = loadGrpoRecipe(original, ["--trl_defaults", "current"]);
    expect(today.recipe).toMatchObject({ beta: 0, loss_type: "dapo", logprob_temperature: null });
    expect(today.notes).toEqual([]);
  });

  test("names every key that has no effect", () => {
    expect([...resolved.inert.keys()].sort()).toEqual(
      [
        ...[
          "attn_implementation",
          "do_eval",
          "gradient_checkpointing_kwargs",
          "hub_model_id",
          "hub_strategy",
          "log_level",
          "num_train_epochs",
        ],
        ...["logging_strategy", "per_device_eval_batch_size", "push_to_hub", "report_to", "use_vllm", "vllm_device"],
        ...["vllm_enforce_eager", "vllm_gpu_memory_utilization", "vllm_max_model_len"],
      ].sort(),
    );
    for (const reason of resolved.inert.values()) expect(reason.length).toBeGreaterThan(10);
  });
});
