"""pytorch-metric-learning: Eq. 9 as a loss of the library, with its sampler and its evaluation."""

import numpy as np
import torch
import torch.nn.functional as F
from pytorch_metric_learning.samplers import MPerClassSampler
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from clmle import ClusterIndex
from clmle.losses import ClusterMarginLoss
from clmle.metrics import impostor_rate

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, stratify=y, test_size=0.35, random_state=0
)
keep = np.concatenate([np.flatnonzero(y_train == c)[: 20 if c > 7 else 999] for c in range(10)])
X_train, y_train = X_train[keep], y_train[keep]

torch.manual_seed(0)
np.random.seed(0)  # the library's sampler uses NumPy's global generator
network = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32))
optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
inputs, labels = torch.tensor(X_train, dtype=torch.float32), torch.tensor(y_train)


def features_of(x):
    with torch.no_grad():
        return F.normalize(network(torch.as_tensor(x, dtype=torch.float32)), dim=1).numpy()


index = ClusterIndex.build(features_of(X_train), y_train, cluster_size=25, min_clusters=2)
cluster_loss = ClusterMarginLoss(0.5, 0.1, index=index, within_weight=0.0)
sampler = MPerClassSampler(y_train, m=10, batch_size=100, length_before_new_iter=1000)
print(f"impostor rate of the 8 before {impostor_rate(features_of(X_test), y_test, of=8):.3f}")
for _ in range(10):
    for x, target in DataLoader(TensorDataset(inputs, labels), batch_size=100, sampler=sampler):
        optimizer.zero_grad()
        cluster_loss(network(x), target).backward()
        optimizer.step()
    index.refresh(features_of(X_train))
print(f"impostor rate of the 8 after {impostor_rate(features_of(X_test), y_test, of=8):.3f}")

calculator = AccuracyCalculator(include=("precision_at_1",), device=torch.device("cpu"))
found = calculator.get_accuracy(features_of(X_test), y_test, features_of(X_train), y_train)
print(f"precision at 1 {found['precision_at_1']:.3f}")
