import subprocess
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.knowledge import tokens


@given(st.text(alphabet="abcXYZ éß日0159.,'\"-\n\t😀", max_size=120))
@settings(max_examples=200, deadline=None)
def test_a_text_has_the_tokens_that_the_backbone_reads_behind_a_blank(text: str) -> None:
    whole = text if text[:1].isspace() or not text else " " + text
    assert tokens.count(text) == len(tokens.tokenizer().encode(whole, add_special_tokens=False))


def test_a_long_run_of_letters_is_counted_in_parts() -> None:
    blob = "x9Ab" * 1000
    exact = len(tokens.tokenizer().encode(" " + blob, add_special_tokens=False))
    assert exact <= tokens.count(blob) <= 1.1 * exact


def test_counting_and_reading_load_no_model(python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    code = """
import sys, pathlib
from understudy.knowledge import documents, tokens
pathlib.Path("a.csv").write_text("title,text\\nPeru,Lima.\\n")
pathlib.Path("a.md").write_text("# Peru\\n\\nLima.")
documents.read(pathlib.Path("a.csv"))
assert "tokenizers" not in sys.modules, "rows need no tokenizer"
documents.read(pathlib.Path("a.md"))
print(sorted({"tokenizers", "torch", "transformers", "networkx", "pypdf"} & set(sys.modules)))
"""
    done = python("-c", code)
    assert done.stdout.strip() == "['tokenizers']", done.stderr
