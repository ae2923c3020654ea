"""Build the slug that Heroku would build, try it on this machine, deploy it, and retrain the model it serves."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The checkout."""
