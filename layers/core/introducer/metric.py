"""The product's own metrics: one number each, written where the thing happened.

The one dimension is the service, as in every alarm. CloudWatch reads them from the
log line, so they arrive even when the function fails right afterwards.
"""

from __future__ import annotations


def count(name: str, value: int = 1) -> None:
    """Add *value* to the metric *name*, such as ``LedgerBroken``."""
    # Loaded here: the request path has no metric of its own and need not pay for it.
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    from introducer.settings import setting

    with single_metric(
        name=name,
        unit=MetricUnit.Count,
        value=value,
        namespace="Introducer",
        default_dimensions={"service": setting("POWERTOOLS_SERVICE_NAME")},
    ):
        pass
