"""The spaces of k-means: how centroids follow from sums of rows, and what f.mu means there."""

import torch


class Sphere:
    """Unit rows; f.mu is the cosine of a row and a centroid of unit length."""

    def center(self, sums: torch.Tensor) -> torch.Tensor:
        """Centroids (K, d) of clusters whose rows sum to ``sums`` (K, d)."""
        return torch.nn.functional.normalize(sums, dim=1)

    def centroids_at(self, rows: torch.Tensor) -> torch.Tensor:
        """Centroids at the places of ``rows`` (m, d)."""
        return rows

    def rows_at(self, centroids: torch.Tensor) -> torch.Tensor:
        """Rows at the places of ``centroids`` (m, d)."""
        return centroids

    def peak(self, rows: torch.Tensor) -> torch.Tensor:
        """The f.mu (m,) of each row and a centroid at its place, the largest there is."""
        return torch.ones_like(rows[:, 0])


class Euclidean(Sphere):
    """Points p as rows (p, 1), centroids c as (c, -|c|^2 / 2).

    Then f.mu = p.c - |c|^2 / 2 = (|p|^2 - |p - c|^2) / 2: the nearest centroid has the largest.
    """

    def center(self, sums: torch.Tensor) -> torch.Tensor:
        means = sums[:, :-1] / sums[:, -1:].clamp(min=1e-30)
        return torch.cat([means, -0.5 * means.square().sum(dim=1, keepdim=True)], dim=1)

    def centroids_at(self, rows: torch.Tensor) -> torch.Tensor:
        return self.center(rows)

    def rows_at(self, centroids: torch.Tensor) -> torch.Tensor:
        return torch.cat([centroids[:, :-1], torch.ones_like(centroids[:, :1])], dim=1)

    def peak(self, rows: torch.Tensor) -> torch.Tensor:
        return 0.5 * rows[:, :-1].square().sum(dim=1)


SPHERE, EUCLIDEAN = Sphere(), Euclidean()
