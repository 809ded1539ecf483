import { trainBpe } from "./bpe.js";
import { ANSWER_WORDS } from "./corpus.js";
import { QUESTION_WORDS } from "./problems.js";

/**
 * The demo's tokenizer as the two files a Hugging Face folder holds. Byte-level, so any text round-trips;
 * digits stand alone, as in Qwen2, and every word of the task is one token.
 */

/** Added tokens in order of id, from 0. `special` ones vanish when a completion is decoded; the think tags don't. */
export const ADDED_TOKENS = [
  { content: "<|pad|>", special: true },
  { content: "<|end|>", special: true },
  { content: "<|system|>", special: true },
  { content: "<|user|>", special: true },
  { content: "<|assistant|>", special: true },
  { content: "<think>", special: false },
  { content: "</think>", special: false },
] as const;

/** Words with their leading space, one \word{ at a time, single digits, any other single character. */
const SPLIT_PATTERN = String.raw`\\\p{L}+\{| ?\p{L}+|\p{N}|[^\p{L}\p{N}]`;

/** "<|user|>question<|assistant|><think>\n": the opening tag is in the prompt, as in DeepSeek-R1's distilled models. */
export const CHAT_TEMPLATE = [
  "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}",
  "{% if message['role'] == 'assistant' %}{{ '<|end|>' }}{% endif %}{% endfor %}",
  "{% if add_generation_prompt %}{{ '<|assistant|><think>\\n' }}{% endif %}",
].join("");

/** The content of tokenizer.json. */
export function tokenizerJson(): object {
  const { vocab, merges } = trainBpe([...QUESTION_WORDS, ...ANSWER_WORDS]);
  const shift = ADDED_TOKENS.length;
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: ADDED_TOKENS.map(({ content, special }, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: SPLIT_PATTERN }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: "",
      end_of_word_suffix: "",
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: {
        ...Object.fromEntries(ADDED_TOKENS.map(({ content }, id) => [content, id])),
        ...Object.fromEntries(Object.entries(vocab).map(([token, id]) => [token, id + shift])),
      },
      merges,
    },
  };
}

/** The content of tokenizer_config.json. */
export function tokenizerConfig(): object {
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: null,
    eos_token: "<|end|>",
    pad_token: "<|pad|>",
    unk_token: null,
    add_bos_token: false,
    add_eos_token: false,
    clean_up_tokenization_spaces: false,
    model_max_length: 256,
    chat_template: CHAT_TEMPLATE,
  };
}
