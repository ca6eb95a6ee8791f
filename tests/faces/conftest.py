"""A folder with a learned role, in which commands run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faces.learned import learned_desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, checkout: Path, tiny_backbone: Path) -> Path:
    """A folder with the triage role, learned, and a team of it."""
    return learned_desk(tmp_path_factory.mktemp("desk"), checkout, tiny_backbone)


@pytest.fixture
def there(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The commands run in the folder."""
    monkeypatch.chdir(desk)
    monkeypatch.delenv("UNDERSTUDY_JOURNAL", raising=False)
    return desk
