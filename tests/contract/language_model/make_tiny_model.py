"""Writes a language model of two layers with random weights, and a tokenizer of letters, into the folder that is named.

It runs in the language model's environment. Such a model says nothing, but it can be served and trained in seconds.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

LETTERS = "0123456789 #?:"
"""Few, so that an answer of random letters ends now and then; every other letter of a prompt is read as a `?`."""

TEMPLATE = (
    "{% for message in messages %}{{ message['role'][0] + ':' + message['content'] + '|' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'a:' }}{% endif %}"
)


def main(folder: Path) -> None:
    """Write the model."""
    torch.manual_seed(0)
    vocabulary = {letter: number for number, letter in enumerate(["<end>", *LETTERS, "|"])}
    letters = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="?"))
    letters.decoder = decoders.Fuse()
    letters.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=letters, eos_token="<end>", pad_token="<end>", chat_template=TEMPLATE
    )
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(vocabulary),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=256,
            bos_token_id=None,
            eos_token_id=0,
            pad_token_id=0,
        )
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\nRandom weights, made by a test.\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
