"""The whole energy of learning and of inference, by cause."""

from barkhausen.experiment.energy.account import LearningAccount, account_of

__all__ = ["LearningAccount", "account_of"]
