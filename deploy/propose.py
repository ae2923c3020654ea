"""`make propose`: open a pull request that replaces artifacts/ with the model and documents of build/retrain.

Uses git and GitHub's CLI, gh, which reads GH_TOKEN. A model whose branch exists already is not proposed again.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from deploy import ROOT
from deploy.commands import run
from deploy.errors import DeployError
from model.contract import ContractError
from model.loading import load_model
from model.session import Model

RETRAINED = ROOT / "build" / "retrain"

BOT = ("-c", "user.name=github-actions[bot]", "-c", "user.email=41898282+github-actions[bot]@users.noreply.github.com")
CREDENTIALS = ("-c", "credential.helper=", "-c", "credential.helper=!gh auth git-credential")

PROPOSED = ("model.onnx", "CHANGELOG.md", "MODEL_CARD.md", "report.html")
"""Files that training writes and the repository keeps."""

POINTS_TABLE = ("scorecard.html", "scorecard.csv", "scorecard.sql", "scorecard.xlsx")
"""Those that it writes for a scorecard alone."""

BODY = """New model: {new}
Current model: {old}

artifacts/CHANGELOG.md compares them and says what changed.
The export check and the comparison are in the workflow's log; model and report are its artifact `retrained`. To verify
where the file comes from: `gh attestation verify artifacts/model.onnx --repo OWNER/REPOSITORY`.
GitHub runs no checks for a pull request that a workflow opened: close and reopen it to start them.
"""


def main() -> int:
    """Propose the model in build/retrain; exit code 1 if that fails."""
    try:
        print(propose(ROOT, RETRAINED))
    except (DeployError, ContractError) as error:
        print(f"propose: {error}", file=sys.stderr)
        return 1
    return 0


def propose(root: Path, retrained: Path) -> str:
    """Commit the model to a branch, push it, open the pull request; returns its URL or why there is none.

    Raises DeployError if a command fails, ContractError for an invalid model file.
    """
    new = load_model(retrained / "model.onnx")
    artifacts = root / "artifacts"
    old = load_model(artifacts / "model.onnx")
    if new.sha256 == old.sha256:
        return f"propose: {retrained / 'model.onnx'} is identical to the current model; nothing to do"
    branch = f"retrain/{new.contract.version}"
    if run("git", *CREDENTIALS, "ls-remote", "origin", f"refs/heads/{branch}", cwd=root):
        return f"propose: the branch {branch} exists already; nothing to do"
    run("git", "switch", "--quiet", "--create", branch, cwd=root)
    for name in PROPOSED:
        shutil.copyfile(retrained / name, artifacts / name)
    for name in POINTS_TABLE:
        if (retrained / name).exists():
            shutil.copyfile(retrained / name, artifacts / name)
        else:
            (artifacts / name).unlink(missing_ok=True)
    run("git", "add", "artifacts", cwd=root)
    title = f"Retrain {new.contract.name}: {new.contract.version}"
    run("git", *BOT, "commit", "--quiet", "--message", title, cwd=root)
    run("git", *CREDENTIALS, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", cwd=root)
    body = BODY.format(new=describe_model(new), old=describe_model(old))
    return run("gh", "pr", "create", "--head", branch, "--title", title, "--body", body, cwd=root)


def describe_model(model: Model) -> str:
    """Version, algorithm, rows, hold-out metrics and sha256 of a model."""
    contract, training = model.contract, model.contract.training
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in contract.metrics.items())
    return f"{contract.version}, {training.estimator} on {training.rows:,} rows; {metrics}; sha256 `{model.sha256}`"


if __name__ == "__main__":
    sys.exit(main())
