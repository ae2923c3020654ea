"""Build and test the slug that Heroku would build, deploy it, and retrain the model that it serves.

release.py deploys and rolls back; slug.py builds and tests a slug on this machine; rehearse.py deploys to the fake
platform of fake_heroku/; retrain.py and propose.py replace the model.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The checkout."""
