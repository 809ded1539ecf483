"""Makes test/fixtures/text: two small tokenizers and vectors for them, by Hugging Face's own code.

    python test/golden/text.py        (tokenizers 0.23.2, transformers 5.18.0)

bpe/        byte-level BPE with special tokens and a chat template, as Qwen2 and Llama 3 use
metaspace/  BPE over characters with byte fallback and a leading "▁", as Llama 2 uses; no chat template
Each folder's vectors.json holds {encode: [{text, ids, ids_with_special, decoded, decoded_with_special}], chat: [{messages, add_generation_prompt, text, ids}]}.
"""
import json
import os

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

OUT = os.path.join(os.path.dirname(__file__), "..", "fixtures", "text")
CORPUS = [
    "The reasoning process and the answer stand apart: first the thinking, then the answer in a box.",
    "Add 12 and 30 to get 42. Subtract 7 from 42 to get 35. Multiply 35 by 2 to get 70.",
    "Step 1: read the problem. Step 2: write an equation. Step 3: solve it and check it.",
    "\\frac{1}{2} + \\frac{1}{3} = \\frac{5}{6}, so the final answer is \\boxed{\\frac{5}{6}}.",
    "Größe, naïve, café, Übung; π ≈ 3.14159; x² + y² = r²; 你好，世界。",
]
SPECIAL = ["<|pad|>", "<|bos|>", "<|eos|>"]
TAGS = ["<think>", "</think>"]  # added, but ordinary text: they must survive decoding
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}System: {{ m['content'] }}\n"
    "{% elif m['role'] == 'user' %}User: {{ m['content'] | trim }}\n"
    "{% elif m['role'] == 'assistant' %}Assistant:{{ m['content'].split('</think>')[-1] }}{{ eos_token }}\n"
    "{% else %}{{ raise_exception('unknown role ' + m['role']) }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}Assistant:<think>\n{% endif %}"
)
TEXTS = [
    "", " ", "The answer is 42.", "  two  spaces and\ttabs\n\n", "don't clean . these , spaces !",
    "\\boxed{\\frac{1}{2}}", "Größe ≈ π", "你好 🚀 👩‍👩‍👧 ก็", "e\u0301 é", "\ufeffbom", "nul\u0000byte \u200d \ufffd",
    "<think>\nso 1+1=2\n</think>\n", "<|bos|>User: hi<|eos|>", "<|eos|><|eos|>", "<think>x</think> y <|pad|>z", "<|not special|> < think >",
    "12345 67.8", "A" * 40, "the the the the",
]
CHATS = [
    [{"role": "user", "content": "  What is 2+2? "}],
    [{"role": "system", "content": "Put it in \\boxed{{}}."}, {"role": "user", "content": "Add 1 and 2."}],
    [{"role": "user", "content": "a"}, {"role": "assistant", "content": "<think>\nb\n</think>\nc"}, {"role": "user", "content": "d"}],
]


def byte_level():
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=380, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tok.train_from_iterator(CORPUS, trainer)
    tok.add_tokens(TAGS)
    tok.post_processor = processors.TemplateProcessing(single="<|bos|> $A", pair="<|bos|> $A $B", special_tokens=[("<|bos|>", tok.token_to_id("<|bos|>"))])
    return tok


def metaspace():
    vocab = SPECIAL + ["<unk>"] + [f"<0x{b:02X}>" for b in range(256)] + ["▁"] + sorted({c for line in CORPUS for c in line if c.isascii() and c != " "})
    vocab = {token: i for i, token in enumerate(vocab)}
    merges = []
    for word in ["▁the", "▁answer", "▁is", "▁to", "▁get", "▁and"]:
        for i in range(2, len(word) + 1):
            if word[:i] not in vocab:
                merges.append((word[: i - 1], word[i - 1]))
                vocab[word[:i]] = len(vocab)
    tok = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tok.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tok.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tok.add_special_tokens(SPECIAL + ["<unk>"])
    return tok


def save(name, tok, chats, **config):
    out = os.path.join(OUT, name)
    os.makedirs(out, exist_ok=True)
    tok.save(os.path.join(out, "tokenizer.json"), pretty=False)
    with open(os.path.join(out, "tokenizer_config.json"), "w") as f:
        json.dump(config, f, indent=1)
    encode = []
    for text in TEXTS:
        ids = tok.encode(text, add_special_tokens=False).ids
        encode.append({
            "text": text, "ids": ids, "ids_with_special": tok.encode(text).ids,
            "decoded": tok.decode(ids), "decoded_with_special": tok.decode(ids, skip_special_tokens=False),
        })
    chat = []
    if chats:
        hf = PreTrainedTokenizerFast(tokenizer_object=tok, bos_token="<|bos|>", eos_token="<|eos|>", pad_token="<|pad|>", chat_template=TEMPLATE)
        for messages in CHATS:
            for add in (False, True):
                text = hf.apply_chat_template(messages, tokenize=False, add_generation_prompt=add)
                chat.append({"messages": messages, "add_generation_prompt": add, "text": text, "ids": tok.encode(text, add_special_tokens=False).ids})
    with open(os.path.join(out, "vectors.json"), "w") as f:
        json.dump({"encode": encode, "chat": chat}, f, indent=0)


save("bpe", byte_level(), True, tokenizer_class="PreTrainedTokenizerFast", chat_template=TEMPLATE, clean_up_tokenization_spaces=True,
     bos_token={"__type": "AddedToken", "content": "<|bos|>"}, eos_token="<|eos|>", pad_token="<|pad|>")
save("metaspace", metaspace(), False, tokenizer_class="PreTrainedTokenizerFast", eos_token="<|eos|>", unk_token="<unk>")
