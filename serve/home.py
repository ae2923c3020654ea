"""GET /: a page for people who open the service in a browser."""

from __future__ import annotations

from html import escape

from serve.contract import Contract

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Credit scoring: {name}</title>
<body style="font: 1rem/1.5 system-ui; max-width: 40rem; margin: 2rem auto; padding: 0 1rem">
<h1>Credit scoring: {name}</h1>
<p>Model version {version}, {trained_at}. {quality}</p>
<ul>
<li><code>POST /score</code> decides on applicants: <code>{{"applicants": [{{"{field}": …, …}}]}}</code></li>
<li><code>POST /predict</code> gives probabilities alone: <code>{{"data": [[…], …]}}</code></li>
<li><a href="/model">/model</a>: the fields, the policy, the quality</li>
<li><a href="/livez">/livez</a> and <a href="/readyz">/readyz</a>: health</li>
</ul>
</html>
"""


def home_page(contract: Contract) -> str:
    """The page as HTML: which model this is, and where to go."""
    return _PAGE.format(
        name=escape(contract.name),
        version=escape(contract.version),
        trained_at=escape(contract.trained_at),
        quality=_describe_quality(contract),
        field=escape(contract.fields[0].name),
    )


def _describe_quality(contract: Contract) -> str:
    training = contract.training
    if not contract.metrics:
        return "Imported: its quality was not measured here."
    metrics = ", ".join(f"{escape(name.replace('_', ' '))} {value:.3f}" for name, value in contract.metrics.items())
    return f"Trained on {training.rows:,} applications. On {training.holdout_rows:,} it never saw: {metrics}."
