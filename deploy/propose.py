"""`make propose`: open a pull request with the model of build/retrain and its entry in artifacts/CHANGELOG.md.

Uses git and GitHub's own command line tool, gh, which reads GH_TOKEN. A model that was proposed before isn't again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from deploy.errors import DeployError
from model.contract import Contract, ContractError
from model.loading import load_model
from model.session import Model

ROOT = Path(__file__).resolve().parent.parent
RETRAINED = ROOT / "build" / "retrain"

BOT = ("-c", "user.name=github-actions[bot]", "-c", "user.email=41898282+github-actions[bot]@users.noreply.github.com")
CREDENTIALS = ("-c", "credential.helper=", "-c", "credential.helper=!gh auth git-credential")

CHANGELOG = """# Changelog of the model

What is in service, newest first. The format is [Keep a Changelog](https://keepachangelog.com/en/1.1.0/); a version is
the day of training and the start of the data's hash.
"""

ENTRY = """## [{version}] - {date}

### Changed

- Retrained on {rows} rows by {estimator}; {metrics}. sha256 `{sha256}`.
"""

BODY = """{entry}
In service until now: {old}

The proof of the export and the comparison are in the log of the workflow; model and report are its artifact
`retrained`. Where the file comes from: `gh attestation verify artifacts/model.onnx --repo OWNER/REPOSITORY`.
Checks start when somebody closes and reopens this request, since it was opened by a workflow.
"""


def main() -> int:
    """Propose what lies in build/retrain."""
    try:
        print(propose(ROOT, RETRAINED))
    except (DeployError, ContractError) as error:
        print(f"propose: {error}", file=sys.stderr)
        return 1
    return 0


def propose(root: Path, retrained: Path) -> str:
    """Branch, commit, push, open the pull request; returns a sentence. Raises DeployError, ContractError."""
    new = load_model(retrained / "model.onnx")
    artifacts = root / "artifacts"
    old = load_model(artifacts / "model.onnx").contract
    branch = f"retrain/{new.contract.version}"
    if run(root, "git", *CREDENTIALS, "ls-remote", "origin", f"refs/heads/{branch}"):
        return f"propose: {branch} was proposed before"
    run(root, "git", "switch", "--quiet", "--create", branch)
    for path in sorted(retrained.iterdir()):
        shutil.copyfile(path, artifacts / path.name)
    entry = write_entry(new)
    changelog = artifacts / "CHANGELOG.md"
    changelog.write_text(add_entry(changelog.read_text() if changelog.exists() else CHANGELOG, entry))
    run(root, "git", "add", "artifacts")
    title = f"Retrain {new.contract.name}: {new.contract.version}"
    run(root, "git", *BOT, "commit", "--quiet", "--message", title)
    run(root, "git", *CREDENTIALS, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
    body = BODY.format(entry=entry, old=f"{old.version}, {describe_metrics(old)}")
    return run(root, "gh", "pr", "create", "--head", branch, "--title", title, "--body", body)


def write_entry(model: Model) -> str:
    """What the changelog says of a model."""
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
    """A model's figures on its hold-out, as they are named in it."""
    return ", ".join(f"{name} {value:.4g}" for name, value in contract.metrics.items())


def add_entry(changelog: str, entry: str) -> str:
    """A changelog with an entry above the newest one, or at its end if it has none."""
    head, mark, rest = changelog.partition("\n## [")
    return f"{head.rstrip()}\n\n{entry}" + (f"\n## [{rest}" if mark else "")


def run(root: Path, *command: str) -> str:
    """What a command prints; raises DeployError if it fails or isn't there."""
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise DeployError(f"{command[0]} is not installed; the workflow's machines have it") from error
    if done.returncode != 0:
        raise DeployError(f"{' '.join(command[:3])}…: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
