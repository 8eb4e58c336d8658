"""Lightning: the loss is a part of the module, so that checkpoints hold its clusters."""

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from clmle import CLMLELoss, HardClusterSampler
from clmle.metrics import balanced_accuracy

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, stratify=y, test_size=0.35, random_state=0
)
keep = np.concatenate([np.flatnonzero(y_train == c)[: 20 if c > 7 else 999] for c in range(10)])
X_train, y_train = X_train[keep], y_train[keep]


class Digits(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32))
        self.head = nn.Linear(32, 10)
        self.margin_loss = CLMLELoss(y_train, dim=32, cluster_size=25)

    def forward(self, x):
        return self.head(self.network(x))

    def training_step(self, batch, _):
        x, target, indices = batch
        embeddings = self.network(x)
        margin = self.margin_loss(embeddings, target, indices)
        return F.cross_entropy(self.head(embeddings), target) + 0.05 * margin

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=3e-3)

    def train_dataloader(self):
        labels = torch.tensor(y_train)
        inputs = torch.tensor(X_train, dtype=torch.float32)
        data = TensorDataset(inputs, labels, torch.arange(len(labels)))
        # It draws by the losses that margin_loss has recorded.
        sampler = HardClusterSampler(self.margin_loss.index, batch_size=100)
        return DataLoader(data, batch_sampler=sampler)


L.seed_everything(0, verbose=False)
model = Digits()
names = ("logger", "enable_progress_bar", "enable_model_summary", "enable_checkpointing")
trainer = L.Trainer(max_epochs=15, accelerator="cpu", use_distributed_sampler=False,
                    **dict.fromkeys(names, False))  # fmt: skip
trainer.fit(model)  # the sampler divides its batches among processes itself
with torch.no_grad():
    predicted = model(torch.tensor(X_test, dtype=torch.float32)).argmax(dim=1).numpy()
print(f"balanced accuracy {balanced_accuracy(y_test, predicted):.3f}")
