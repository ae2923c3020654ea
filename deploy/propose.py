"""`make propose`: open a pull request with the model in build/retrain and its entry in artifacts/CHANGELOG.md.

Uses git and GitHub's CLI, gh, which reads GH_TOKEN. A model whose branch exists already is not proposed again.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from deploy import ROOT
from deploy.commands import run
from deploy.errors import DeployError
from model.contract import Contract, ContractError
from model.loading import load_model
from model.session import Model

RETRAINED = ROOT / "build" / "retrain"

BOT = ("-c", "user.name=github-actions[bot]", "-c", "user.email=41898282+github-actions[bot]@users.noreply.github.com")
CREDENTIALS = ("-c", "credential.helper=", "-c", "credential.helper=!gh auth git-credential")

CHANGELOG = """# Changelog of the model

Models in service, newest first. The format is [Keep a Changelog](https://keepachangelog.com/en/1.1.0/); a version is
the day of training and the start of the data's hash.
"""

ENTRY = """## [{version}] - {date}

### Changed

- Retrained on {rows} rows by {estimator}; {metrics}. sha256 `{sha256}`.
"""

BODY = """{entry}
Current model: {old}

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
    old = load_model(artifacts / "model.onnx").contract
    branch = f"retrain/{new.contract.version}"
    if run("git", *CREDENTIALS, "ls-remote", "origin", f"refs/heads/{branch}", cwd=root):
        return f"propose: the branch {branch} exists already; nothing to do"
    run("git", "switch", "--quiet", "--create", branch, cwd=root)
    for path in sorted(retrained.iterdir()):
        shutil.copyfile(path, artifacts / path.name)
    entry = write_entry(new)
    changelog = artifacts / "CHANGELOG.md"
    changelog.write_text(add_entry(changelog.read_text() if changelog.exists() else CHANGELOG, entry))
    run("git", "add", "artifacts", cwd=root)
    title = f"Retrain {new.contract.name}: {new.contract.version}"
    run("git", *BOT, "commit", "--quiet", "--message", title, cwd=root)
    run("git", *CREDENTIALS, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", cwd=root)
    body = BODY.format(entry=entry, old=f"{old.version}, {describe_metrics(old)}")
    return run("gh", "pr", "create", "--head", branch, "--title", title, "--body", body, cwd=root)


def write_entry(model: Model) -> str:
    """The changelog entry of a model."""
    contract = model.contract
    return ENTRY.format(
        version=contract.version,
        date=contract.trained_at[:10],
        rows=f"{contract.training.rows:,}",
        estimator=contract.training.estimator,
        metrics=describe_metrics(contract),
        sha256=model.sha256,
    )


def describe_metrics(contract: Contract) -> str:
    """The hold-out metrics of a model."""
    return ", ".join(f"{name} {value:.4g}" for name, value in contract.metrics.items())


def add_entry(changelog: str, entry: str) -> str:
    """Insert an entry above the newest one."""
    head, mark, rest = changelog.partition("\n## [")
    return f"{head.rstrip()}\n\n{entry}" + (f"\n## [{rest}" if mark else "")


if __name__ == "__main__":
    sys.exit(main())
