/** Keys that TRL's and open-r1's recipes may hold and that are no keys of ours: other spellings, without effect here, not done here. */

type Rewrite = (value: unknown) => Readonly<Record<string, unknown>>;

const renamed =
  (key: string): Rewrite =>
  (value) => ({ [key]: value });

const cpu: Rewrite = (value) => (value === true ? { device: "cpu" } : {});

/** Names of transformers' GenerationConfig and vLLM's SamplingParams, and our keys for them. */
export const GENERATION_KWARGS: Readonly<Record<string, string>> = {
  temperature: "temperature",
  top_p: "top_p",
  top_k: "top_k",
  min_p: "min_p",
  repetition_penalty: "repetition_penalty",
  max_new_tokens: "max_completion_length",
  max_tokens: "max_completion_length",
  min_new_tokens: "min_completion_length",
  min_tokens: "min_completion_length",
  stop: "stop_strings",
  stop_strings: "stop_strings",
  stop_token_ids: "stop_token_ids",
};

/** What has a key here becomes that; the others stay and are refused. */
function generationKwargs(value: unknown): Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return { generation_kwargs: value };
  const entries = Object.entries(value);
  const known = entries.filter(([name]) => Object.hasOwn(GENERATION_KWARGS, name));
  const rest = entries.filter(([name]) => !Object.hasOwn(GENERATION_KWARGS, name));
  const ours = known.map(([name, given]): [string, unknown] => {
    const key = GENERATION_KWARGS[name]!;
    return [key, key === "stop_strings" && typeof given === "string" ? [given] : given];
  });
  return { ...Object.fromEntries(ours), ...(rest.length > 0 ? { generation_kwargs: Object.fromEntries(rest) } : {}) };
}

/** Other spellings of our keys. */
export const ALIASES: Readonly<Record<string, { to: string; rewrite: Rewrite }>> = {
  torch_dtype: { to: "dtype", rewrite: renamed("dtype") },
  use_cpu: { to: "device: cpu", rewrite: cpu },
  no_cuda: { to: "device: cpu", rewrite: cpu },
  generation_kwargs: {
    to: "temperature, top_p, top_k, min_p, repetition_penalty, max_completion_length, min_completion_length, stop_strings, stop_token_ids",
    rewrite: generationKwargs,
  },
  evaluation_strategy: { to: "eval_strategy", rewrite: renamed("eval_strategy") },
  ...Object.fromEntries(
    ["correction", "mode", "clip_max", "clip_min"].map((name) => {
      const to = `vllm_importance_sampling_${name}`;
      return [`importance_sampling_${name}`, { to, rewrite: renamed(to) }];
    }),
  ),
  vllm_importance_sampling_cap: aliasOfCap(),
  importance_sampling_cap: aliasOfCap(),
};

function aliasOfCap() {
  return { to: "vllm_importance_sampling_clip_max", rewrite: renamed("vllm_importance_sampling_clip_max") };
}

const INERT_BY_REASON: Readonly<Record<string, string>> = {
  "sampling runs in this process, on the same weights: there is no vLLM":
    "use_vllm vllm_device vllm_dtype vllm_enforce_eager vllm_gpu_memory_utilization vllm_max_model_len " +
    "vllm_max_model_length vllm_enable_prefix_caching vllm_mode vllm_model_impl vllm_enable_sleep_mode " +
    "vllm_server_base_url vllm_server_host vllm_server_port vllm_server_timeout vllm_group_port " +
    "vllm_tensor_parallel_size use_transformers_paged use_transformers_continuous_batching " +
    "transformers_continuous_batching_config cache_implementation use_cache",
  "nothing is uploaded":
    "push_to_hub hub_model_id hub_strategy hub_token hub_private_repo hub_always_push hub_revision hub_model_revision " +
    "push_to_hub_revision overwrite_hub_revision log_completions_hub_repo trackio_space_id trackio_bucket_id " +
    "trackio_static_space_id",
  "metrics go to metrics.jsonl in output_dir":
    "report_to wandb_entity wandb_project wandb_run_group wandb_log_unique_prompts log_unique_prompts logging_dir project " +
    "log_multimodal logging_strategy " +
    "logging_nan_inf_filter include_num_input_tokens_seen skip_memory_metrics",
  "the terminal shows one bar, or one line per step where there is none":
    "log_level log_level_replica log_on_each_node disable_tqdm",
  "the kernel is chosen by device and dtype":
    "attn_implementation use_liger_kernel liger_kernel_config torch_compile torch_compile_backend torch_compile_mode tf32",
  "checkpointing is by layer and has no variants": "gradient_checkpointing_kwargs",
  "memory is managed by open-rs": "torch_empty_cache_steps auto_find_batch_size padding_free pad_to_multiple_of",
  "one process loads the data":
    "dataloader_num_workers dataloader_pin_memory dataloader_persistent_workers dataloader_prefetch_factor " +
    "dataloader_drop_last dataloader_multiprocessing_context dataloader_in_order dataset_num_proc dataset_streaming",
  "one process trains":
    "ddp_find_unused_parameters ddp_bucket_cap_mb ddp_broadcast_buffers ddp_static_graph ddp_backend ddp_timeout fsdp " +
    "fsdp_config deepspeed local_rank save_on_each_node accelerator_config parallelism_config ds3_gather_for_generation " +
    "average_tokens_across_devices ignore_bias_buffers",
  "no code from a checkpoint is run": "trust_remote_code",
  "every column stays for the rewards": "remove_unused_columns",
  "training is what this command does; evaluation follows eval_strategy": "do_train do_eval do_predict",
  "evaluation chooses its own batches":
    "per_device_eval_batch_size eval_accumulation_steps eval_do_concat_batches eval_use_gather_object batch_eval_metrics " +
    "prediction_loss_only include_for_metrics bf16_full_eval fp16_full_eval eval_packing eval_delay benchmarks callbacks",
  "runs on a CPU are always reproducible": "full_determinism",
  "checkpoints hold the whole state":
    "ignore_data_skip restore_callback_states_from_checkpoint enable_jit_checkpoint save_safetensors",
  "only for mixtures of experts": "router_aux_loss_coef",
  "only for the reward or option it belongs to, which is not done here":
    "code_language code_eval_test_batch_size parallel_code_exec_per_proc e2b_router_url morph_router_url code_provider " +
    "ioi_provider vespo_k_pos vespo_lambda_pos vespo_k_neg vespo_lambda_neg " +
    "entropy_coef_min entropy_coef_max entropy_coef_delta entropy_target " +
    "bnb_4bit_quant_type use_bnb_nested_quant bnb_4bit_quant_storage " +
    "max_tool_calling_iterations length_column_name debug label_names optim_args",
};

/** Keys that change nothing here, with the reason. */
export const INERT: ReadonlyMap<string, string> = new Map(
  Object.entries(INERT_BY_REASON).flatMap(([reason, keys]) => keys.split(" ").map((key) => [key, reason] as const)),
);

const OFF = [false, null];

/** Keys that would change the training and that we do not have: fine with these values, an error with others. */
export const UNSUPPORTED: ReadonlyMap<string, readonly unknown[]> = new Map<string, readonly unknown[]>([
  ["fp16", OFF],
  ["use_dora", OFF],
  ["lora_target_parameters", [null]],
  ["lora_modules_to_save", [null]],
  ["lora_task_type", ["CAUSAL_LM"]],
  ["load_in_8bit", OFF],
  ["load_in_4bit", OFF],
  ["cast_lm_head_to_fp32", OFF],
  ["use_adaptive_entropy", OFF],
  ["assistant_only_loss", OFF],
  ["activation_offloading", OFF],
  ["label_smoothing_factor", [0]],
  ["neftune_noise_alpha", [null]],
  ["off_policy_mask_threshold", [null]],
  ["vllm_guided_decoding_regex", [null]],
  ["vllm_structured_outputs_regex", [null]],
  ["generation_kwargs", [null]],
  ["model_init_kwargs", [null]],
  ["optim_target_modules", [null]],
  ["dataset_kwargs", [null]],
  ["eos_token", [null]],
  ["pad_token", [null]],
  ["truncation_mode", ["keep_start"]],
  ["packing_strategy", ["bfd"]],
  ["train_sampling_strategy", ["random"]],
]);
