"""Runs of MLflow, in the experiment MLFLOW_EXPERIMENT_NAME at MLFLOW_TRACKING_URI."""

import os
from typing import Any

from clmle.config import flat
from clmle.run_folder import RunFolder
from clmle.tracking._base import RunImages, Scalars, Tracker

LONGEST = 500  # characters of a parameter
PART = 100  # parameters of one request


class MLflow(Tracker):
    """Logs metrics, configuration and state by the client of MLflow."""

    def __init__(self, run: RunFolder, images: RunImages | None, again: str) -> None:
        super().__init__(run, images, again)
        from mlflow import MlflowClient
        from mlflow.entities import Metric, Param

        self.client, self.metric = MlflowClient(), Metric
        self.began = (run.path / "config.json").stat().st_mtime
        if again:
            self.client.update_run(again, status="RUNNING")
            self.id: str = again
            return
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "clmle")
        experiment = self.client.get_experiment_by_name(name)
        number = experiment.experiment_id if experiment else self.client.create_experiment(name)
        start = round(1000 * self.began)
        self.id = self.client.create_run(number, start_time=start, run_name=run.name).info.run_id
        values = [Param(k, str(v)[:LONGEST]) for k, v in flat(run.config()).items()]
        for i in range(0, len(values), PART):
            self.client.log_batch(self.id, params=values[i : i + PART])

    def identity(self) -> str:
        return self.id

    def scalars(self, found: Scalars) -> None:
        time = round(1000 * (self.began + found.seconds))
        metrics = [self.metric(k, v, time, found.step) for k, v in found.values.items()]
        self.client.log_batch(self.id, metrics=metrics)

    def finish(self, result: dict[str, Any] | None) -> None:
        self.client.set_terminated(self.id, "FINISHED" if result is not None else "KILLED")


TRACKER = MLflow
