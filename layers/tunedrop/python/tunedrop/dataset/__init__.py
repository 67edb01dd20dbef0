"""Datasets: checked line by line before anything is paid for, split, converted and described."""

from tunedrop.dataset.check import check_dataset
from tunedrop.dataset.findings import Finding
from tunedrop.dataset.report import DatasetReport
from tunedrop.dataset.rules import RULES, Rule, Severity

__all__ = ["RULES", "DatasetReport", "Finding", "Rule", "Severity", "check_dataset"]
