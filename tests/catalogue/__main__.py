"""Writes what is told now into told.json: ``python -m tests.catalogue``, after a message was changed on purpose."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.catalogue.case import told
from tests.catalogue.cases import TOLD, cases, prepared

said = {}
for name, provoke in cases().items():
    with tempfile.TemporaryDirectory() as folder, prepared(Path(folder)):
        said[name] = [one.text for one in told(provoke, Path(folder))]
TOLD.write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
