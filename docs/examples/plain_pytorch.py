"""Plain PyTorch: Eq. 9 next to a cross-entropy loss, on class-balanced batches."""

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from clmle import ClassBalancedSampler, CLMLELoss
from clmle.metrics import balanced_accuracy, worst_group_recall

# Digits with 20 training images of the 8 and of the 9, and about 120 of every other digit.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, stratify=y, test_size=0.35, random_state=0
)
keep = np.concatenate([np.flatnonzero(y_train == c)[: 20 if c > 7 else 999] for c in range(10)])
X_train, y_train = X_train[keep], y_train[keep]

torch.manual_seed(0)
network = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32))
head = nn.Linear(32, 10)
margin_loss = CLMLELoss(y_train, dim=32, cluster_size=25)
optimizer = torch.optim.Adam([*network.parameters(), *head.parameters()], lr=3e-3)

# The loss needs the position of each sample in the training set.
inputs, labels = torch.tensor(X_train, dtype=torch.float32), torch.tensor(y_train)
data = TensorDataset(inputs, labels, torch.arange(len(labels)))
loader = DataLoader(data, batch_size=100, sampler=ClassBalancedSampler(y_train))

for epoch in range(15):
    total = 0.0
    for x, target, indices in loader:
        embeddings = network(x)
        loss = F.cross_entropy(head(embeddings), target)
        loss = loss + 0.05 * margin_loss(embeddings, target, indices)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: loss {total / len(loader):.3f}")

with torch.no_grad():
    predicted = head(network(torch.tensor(X_test, dtype=torch.float32))).argmax(dim=1).numpy()
print(f"balanced accuracy {balanced_accuracy(y_test, predicted):.3f}")
print(f"recall of the worst digit {worst_group_recall(y_test, predicted, y_test):.3f}")
