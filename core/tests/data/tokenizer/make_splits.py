"""Writes splits.json: how published pre-tokenizers cut texts into words.

Oracle: the `tokenizers` package (pip install tokenizers regex) with the patterns that the models' own tokenizer.json
files hold; for `default`, which no tokenizer.json has, the `regex` package with its four patterns one after another.
"""

import json
import pathlib

import regex
from tokenizers import Regex
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence, Split

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
DEFAULT = [
    r"[\p{P}\$\+<=>\^~\|]+",
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)",
    r"\p{N}+",
    r"[0-9][0-9][0-9]",
]

TEXTS = [
    "Hello, world!",
    "I'm sure they'll say it's what we've wanted, I'd bet you're right. DON'T SHOUT, IT'S LATE",
    "  two leading, two  inside, trailing  ",
    "one\ntwo\n\nthree\r\nfour\r\n\r\n  five\n  \n six \n",
    "\n",
    "   ",
    " \n \n x",
    "\t\tindented\n\t\tcode {\n\t}\n",
    "1 12 123 1234 12345 1234567890 3.14159 1,000,000.00 ½ Ⅻ ٣٤٥٦ ２０２６",
    "a1b22c333d4444",
    "price: $12.50 + 5% = €13,13 <ok> ^~| `x`",
    "foo_bar::baz(qux->quux[3], \"str\\n\") // comment!!!",
    "!!!\n\n??? ...\r\nend",
    "naïve café Ünïcödé straße Ελληνικά русский текст עברית العربية हिन्दी ไทย 한국어",
    "你好，世界。今日は2026年！",
    "emoji 👩‍👩‍👧‍👦🇩🇪👍🏽 done",
    "combining e\u0301 a\u0308\u0323 \u0301alone",
    "nbsp\u00a0between\u00a0\u00a0two \u2003em\u2003 space\u3000ideographic\u3000 x",
    "zero\u200bwidth \ufeffbom \u2028line sep\u2029par",
    "quote’s ‘single’ “double” — dash – en … dots",
    "'s 't're've'mmm'lll'dd '''ss ' s",
    "https://example.org/a?b=c&d=e#f user@host.tld",
    "x" * 40 + " " * 40 + "y",
    "tab\tsep\t\tvalues\t 1\t 22",
    " leading\n trailing \n",
    "vertical\x0btab form\x0cfeed \x85next",
    "nul\x00byte \x01\x02ctrl",
    "Ａｂｃ ½x ²³ ①②③ 1st 2nd 3RD",
    "<|im_end|> <start_of_turn>user\n</s>",
    "MixedCASE'S 'T 'LL 'RE",
    "end without newline   \n   ",
    "",
]


def cut(pattern, pieces):
    """Matches and what is between them, of each piece."""
    out = []
    for piece in pieces:
        at = 0
        for m in regex.finditer(pattern, piece):
            out += [piece[at : m.start()], m.group()]
            at = m.end()
        out.append(piece[at:])
    return [piece for piece in out if piece]


def default(text):
    pieces = [text]
    for pattern in DEFAULT:
        pieces = cut(pattern, pieces)
    return pieces


def by_crate(pre):
    return lambda text: [text[a:b] for _, (a, b) in pre.pre_tokenize_str(text)]


def split(pattern):
    return Split(Regex(pattern), behavior="isolated")


ORACLES = {
    "gpt-2": by_crate(split(GPT2)),
    "smollm": by_crate(Sequence([Digits(individual_digits=True), split(GPT2)])),
    "llama-bpe": by_crate(split(LLAMA3)),
    "qwen2": by_crate(split(QWEN2)),
    "default": default,
}

if __name__ == "__main__":
    entries = [{"pre": pre, "text": text, "words": words(text)} for pre, words in ORACLES.items() for text in TEXTS]
    for entry in entries:
        assert "".join(entry["words"]) == entry["text"], entry
    path = pathlib.Path(__file__).with_name("splits.json")
    path.write_text("[\n" + ",\n".join(json.dumps(e, ensure_ascii=True) for e in entries) + "\n]\n")
