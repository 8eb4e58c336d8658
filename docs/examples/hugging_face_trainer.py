"""Hugging Face Trainer: a model that returns its loss, and a loader with its own sampler."""

import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader
from transformers import Trainer, TrainingArguments, logging, set_seed

from clmle import ClassBalancedSampler, CLMLELoss
from clmle.metrics import balanced_accuracy

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, stratify=y, test_size=0.35, random_state=0
)
keep = np.concatenate([np.flatnonzero(y_train == c)[: 20 if c > 7 else 999] for c in range(10)])
X_train, y_train = X_train[keep], y_train[keep]


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32))
        self.head = nn.Linear(32, 10)
        self.margin_loss = CLMLELoss(y_train, dim=32, cluster_size=25)

    def forward(self, inputs, labels, indices=None):
        embeddings = self.network(inputs)
        logits = self.head(embeddings)
        margin = self.margin_loss(embeddings, labels, indices)
        return {"loss": F.cross_entropy(logits, labels) + 0.05 * margin, "logits": logits}


class BalancedTrainer(Trainer):
    def get_train_dataloader(self):  # as it is: the sampler divides itself among processes
        return DataLoader(self.train_dataset, 100, sampler=ClassBalancedSampler(y_train))


def rows(x, labels):
    values = zip(torch.tensor(x, dtype=torch.float32), labels.tolist(), strict=True)
    return [{"inputs": v, "labels": c} for v, c in values]


set_seed(0)
logging.set_verbosity_error()
folder = tempfile.mkdtemp()
options = TrainingArguments(folder, num_train_epochs=15, learning_rate=3e-3, use_cpu=True,
                            save_strategy="no", report_to=[], disable_tqdm=True)  # fmt: skip
train = [row | {"indices": i} for i, row in enumerate(rows(X_train, y_train))]
trainer = BalancedTrainer(Digits(), options, train_dataset=train)
trainer.train()
predicted = trainer.predict(rows(X_test, y_test)).predictions.argmax(axis=1)
print(f"balanced accuracy {balanced_accuracy(y_test, predicted):.3f}")
