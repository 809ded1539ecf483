"""Golden values for the demo's tokenizer, from transformers (5.18.0) and tokenizers.

    python test/golden/demo_tokenizer.py    # writes test/fixtures/demo/tokenizer.json
"""

import json
from pathlib import Path

from transformers import AutoTokenizer

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [
    "",
    "What is 12+3*7-4?",
    "Mia has 12 coins, finds 3 bags of 7, loses 4. How many coins?",
    "3*7=21\n12+21=33\n33-4=29\n</think>\n\\boxed{29}",
    "Hmm, let me think.\nWait, is that right?\nLet me try again.\nI give up.\n</think>\n\\boxed{7}<|end|>",
    "Easy, I know this.\n</think>\n\\boxed{40}",
    "<|user|>What is 1+1?<|assistant|><think>\n1+1=2",
    "Unknown words fall apart; \\frac{1}{2} and \\boxed 3 too.",
    "  two  spaces\t\ttabs\r\n\r\nand lines \n",
    "naïve café, 東京は晴れ, 😀 and é",
    "¼ ٣ Ⅷ <think><think></think>  </think>",
]
CHATS = [
    [{"role": "user", "content": "What is 12+3*7-4?"}],
    [{"role": "system", "content": "Think first."}, {"role": "user", "content": "What is 5-3?"}],
    [
        {"role": "user", "content": "What is 5-3?"},
        {"role": "assistant", "content": "<think>\n5-3=2\n</think>\n\\boxed{2}"},
        {"role": "user", "content": "What is 2*2?"},
    ],
]

tokenizer = AutoTokenizer.from_pretrained(ROOT / "src/demo/tokenizer")
encode = lambda text: tokenizer(text, add_special_tokens=False)["input_ids"]
golden = {
    "texts": [
        {"text": t, "ids": encode(t), "decoded": tokenizer.decode(encode(t), skip_special_tokens=True)} for t in TEXTS
    ],
    "chats": [
        {
            "messages": m,
            "rendered": tokenizer.apply_chat_template(m, add_generation_prompt=True, tokenize=False),
        }
        for m in CHATS
    ],
}
target = ROOT / "test/fixtures/demo/tokenizer.json"
target.parent.mkdir(parents=True, exist_ok=True)
target.write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n")
