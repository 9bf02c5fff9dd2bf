"""What every model of this folder shares: reading data, features from the Rust extractor, quantisation, the model file.

The features come from `signalbox-model`'s example `features`, so that training and the plugins see the same numbers by
construction. Every random choice is seeded; liblinear runs on one thread.
"""

import gzip
import hashlib
import json
import os
import struct
import subprocess
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from sklearn.metrics import f1_score, recall_score
from sklearn.svm import LinearSVC

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
GROUPS = 5
# What each group of features weighs before it is divided by the root of its size: as in plugins/model/src/model.rs.
SCALE = np.array([1.0, 0.7, 0.8, 0.8, 0.6])


class Data:
    """The folder with NAME.SPLIT.tsv.gz, and the checksums of what was read from it."""

    def __init__(self, folder):
        self.folder, self.sums = Path(folder), {}

    def rows(self, name, split):
        path = self.folder / f"{name}.{split}.tsv.gz"
        raw = path.read_bytes()
        self.sums[path.name] = hashlib.sha256(raw).hexdigest()
        lines = gzip.decompress(raw).decode("utf-8").split("\n")
        head = lines[0].split("\t")
        return [dict(zip(head, line.split("\t"))) for line in lines[1:] if line]

    def xy(self, name, split, label="label"):
        rows = self.rows(name, split)
        return [r["text"] for r in rows], np.array([r[label] for r in rows])


def extractor():
    """The path of the built feature extractor."""
    subprocess.run(["cargo", "build", "-q", "--release", "-p", "signalbox-model", "--example", "features"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "examples" / "features"


class Features:
    """Raw features of texts: for each row the group and the 32-bit hash of each."""

    def __init__(self, binary, table="-", pieces=(3, 5), skips=True, tone=True):
        self.args = [str(binary), "dump", str(table), str(pieces[0]), str(pieces[1]), str(int(skips)), str(int(tone))]

    def raw(self, texts):
        lines = "\n".join(t.replace("\n", " ").replace("\r", " ") for t in texts) + "\n"
        out = subprocess.run(self.args, input=lines.encode("utf-8"), capture_output=True, check=True).stdout
        at, counts, parts = 0, [], []
        for _ in texts:
            (n,) = struct.unpack_from("<I", out, at)
            parts.append(out[at + 4 : at + 4 + 5 * n])
            counts.append(n)
            at += 4 + 5 * n
        flat = np.frombuffer(b"".join(parts), dtype=np.dtype([("hash", "<u4"), ("group", "u1")]))
        return np.array(counts), flat["hash"].copy(), flat["group"].copy()


def matrix(raw, bits, scale=SCALE):
    """Rows of values: each feature adds scale / sqrt(size of its group in the row), as the Rust side scores it."""
    counts, hashes, groups = raw
    row = np.repeat(np.arange(len(counts)), counts)
    size = np.bincount(row * GROUPS + groups, minlength=len(counts) * GROUPS)
    value = (scale[groups] / np.sqrt(size[row * GROUPS + groups])).astype(np.float32)
    m = sp.csr_matrix((value, (row, (hashes >> np.uint32(32 - bits)).astype(np.int64))), shape=(len(counts), 1 << bits))
    m.sum_duplicates()
    return m


def svc(x, y, c, seed=1, weight=None, balance="balanced"):
    return LinearSVC(C=c, class_weight=balance, random_state=seed, max_iter=2000).fit(x, y, sample_weight=weight)


def report(tag, y, p):
    r, f, a = recall_score(y, p, average="macro", zero_division=0), f1_score(y, p, average="macro", zero_division=0), np.mean(np.array(y) == p)
    print(f"{tag:60s} macroR {100*r:5.2f}  macroF1 {100*f:5.2f}  acc {100*a:5.2f}", flush=True)
    return r


def quantise(weights):
    """Columns of int8 with one scale each; what rounds to nothing is nothing."""
    top = np.abs(weights).max(axis=1, keepdims=True) / 127.0
    return np.clip(np.round(weights / top), -127, 127).astype(np.int8), top[:, 0]


def prune(weights, keep):
    """Only the features that weigh most."""
    strength = np.abs(weights).max(axis=0)
    if keep >= strength.size:
        return weights
    return weights * (strength >= np.partition(strength, -keep)[-keep])


def head_bytes(bits, weights, bias, scale=SCALE, keep=None):
    """One head as the Rust side reads it, and its dequantised weights."""
    if keep:
        weights = prune(weights, keep)
    q, top = quantise(weights)
    body = struct.pack("<II", bits, len(q)) + np.array(scale, "<f4").tobytes() + top.astype("<f4").tobytes() + np.array(bias, "<f4").tobytes()
    return body + np.ascontiguousarray(q.T).tobytes(), q * top[:, None]


def kept_bytes(bits, hashes, weights, bias, scale=SCALE):
    """One head that keeps some features: rows of 16 bits of the 32-bit hash and the weights, by open addressing."""
    q, top = quantise(weights)
    table = np.zeros((1 << bits, 2 + len(q)), np.uint8)
    for n in np.lexsort((hashes, -np.abs(weights).max(0))):
        row, mark = int(hashes[n]) >> (32 - bits), max(int(hashes[n]) & 0xFFFF, 1)
        while table[row, 0] or table[row, 1]:
            row = (row + 1) % (1 << bits)
        table[row, :2] = mark & 0xFF, mark >> 8
        table[row, 2:] = q[:, n].view(np.uint8)
    body = struct.pack("<II", bits + 256, len(q)) + np.array(scale, "<f4").tobytes() + top.astype("<f4").tobytes() + np.array(bias, "<f4").tobytes()
    return body + table.tobytes(), q * top[:, None]


def save(path, heads, numbers=()):
    body = b"SBM1" + struct.pack("<I", len(heads)) + b"".join(heads)
    body += struct.pack("<I", len(numbers)) + np.array(numbers, "<f4").tobytes()
    Path(path).write_bytes(body)
    print(f"{path}: {len(body)} bytes, sha256 {hashlib.sha256(body).hexdigest()}")


def ece(confidence, right, bins=10):
    """Expected calibration error."""
    at = np.minimum((confidence * bins).astype(int), bins - 1)
    return sum((at == b).mean() * abs(right[at == b].mean() - confidence[at == b].mean()) for b in range(bins) if (at == b).any())


def judge(plugin, texts, config="{}"):
    """The proposals of a plugin for each text, judged natively by its example `judge`."""
    env = dict(os.environ)
    target = Path(env.get("CARGO_TARGET_DIR", ROOT / "target"))
    subprocess.run(["cargo", "build", "-q", "--release", "-p", plugin, "--example", f"judge-{plugin}"], cwd=ROOT, check=True)
    lines = "\n".join(t.replace("\n", " ").replace("\r", " ") for t in texts) + "\n"
    run = subprocess.run([str(target / "release/examples" / f"judge-{plugin}"), config], input=lines.encode("utf-8"), capture_output=True, check=True)
    print("  " + plugin + ": " + run.stderr.decode().strip())
    return [json.loads(line) for line in run.stdout.decode("utf-8").split("\n") if line]
