import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from understudy.core.errors import UnderstudyError
from understudy.core.prompts import Passage
from understudy.knowledge import KnowledgeStore
from understudy.knowledge.embedders import BackboneEmbedder, SentenceEncoder, embedder
from understudy.knowledge.embedding import Embedder, HashedEmbedder
from understudy.knowledge.retrieval import RECIPES

TEXTS = ["Lima is the capital of Peru.", "Kinshasa lies on a river.", " \n", "a " * 300, "日本 🙂 \ud800 \x00 العربية"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sentence encoder with random weights."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = ["[PAD]", "[UNK]", "lima", "peru", "is", "the", "capital", "of", "a", "river"]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    torch.manual_seed(0)
    shape = {"hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    model = BertModel(BertConfig(vocab_size=len(words), max_position_embeddings=32, **shape))
    folder = tmp_path_factory.mktemp("encoders") / "tiny"
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def told(made: Embedder, width: int) -> None:
    """What every embedder promises."""
    rows = made.encode(TEXTS)
    assert rows.shape == (len(TEXTS), made.dimension) == (len(TEXTS), width) and rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 1, 0, 1, 1], atol=1e-5)
    assert made.encode([]).shape == (0, width)
    np.testing.assert_allclose(made.encode(TEXTS[:1]), rows[:1], atol=1e-5)  # whatever stands beside it
    again = embedder(made.source)
    assert again.name == made.name and again.dimension == width and again.weight == made.weight
    np.testing.assert_array_equal(again.encode(TEXTS), rows)


def test_the_shipped_backbone() -> None:
    made = embedder("default")
    assert isinstance(made, BackboneEmbedder) and made.name.startswith("backbone-")
    told(made, 256)


def test_a_backbone_in_a_folder(tiny_backbone: Path) -> None:
    made = embedder(str(tiny_backbone))
    assert isinstance(made, BackboneEmbedder) and made.name != embedder("default").name
    told(made, 32)


def test_a_sentence_encoder_in_a_folder(encoder: Path, tmp_path: Path) -> None:
    made = embedder(str(encoder))
    assert isinstance(made, SentenceEncoder) and made.name.startswith("encoder-")
    told(made, 24)
    moved = embedder(str(shutil.copytree(encoder, tmp_path / "moved")))
    assert moved.name == made.name, "the weights make the space, not the folder"


def test_an_encoder_pools_as_its_folder_says(encoder: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    shutil.copytree(encoder, tmp_path / "first")
    (tmp_path / "first" / "1_Pooling").mkdir()
    (tmp_path / "first" / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}', encoding="utf-8")
    model, tokenizer = AutoModel.from_pretrained(encoder).eval(), AutoTokenizer.from_pretrained(encoder)
    with torch.inference_mode():
        states = model(**tokenizer(["lima is the capital"], return_tensors="pt")).last_hidden_state[0].numpy()
    for folder, pooled in ((encoder, states.mean(0)), (tmp_path / "first", states[0])):
        (row,) = embedder(str(folder)).encode(["lima is the capital"])
        np.testing.assert_allclose(row, pooled / np.linalg.norm(pooled), atol=1e-5)


def test_hashed_ones_are_made_from_their_names() -> None:
    assert isinstance(embedder("hashed"), HashedEmbedder) and embedder("hashed").name == "hashed-1024-3.4"
    assert embedder(HashedEmbedder(32, (2, 5)).source).name == "hashed-32-2.5"
    for name in ("hashed-", "hashed-x", "hashed-0-3", "hashed-32"):
        with pytest.raises(UnderstudyError, match=f"there is no embedder '{name}'; write hashed"):
            embedder(name)


def test_a_folder_without_a_model_is_told(tmp_path: Path, encoder: Path) -> None:
    with pytest.raises(UnderstudyError, match=r"config\.json is missing.*give 'default', 'hashed', a folder"):
        KnowledgeStore.open(embedder=str(tmp_path))
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(UnderstudyError, match="cannot be read"):
        KnowledgeStore.open(embedder=str(tmp_path))
    for kind in ("BertModel", "LlamaForCausalLM"):
        (tmp_path / "config.json").write_text(f'{{"architectures": ["{kind}"], "hidden_size": 8}}', encoding="utf-8")
        with pytest.raises(UnderstudyError, match=r"config\.json and \*\.safetensors are needed"):
            KnowledgeStore.open(tmp_path / "store.db", str(tmp_path))
    (tmp_path / "config.json").write_bytes((encoder / "config.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    for file in encoder.glob("tokenizer*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(UnderstudyError, match="the sentence encoder cannot be loaded .*header"):
        embedder(str(tmp_path)).encode(["text"])


def test_an_unknown_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        UnderstudyError, match=r"there is no embedder 'nobody/nothing'; give 'default', 'hashed', a folder"
    ):
        KnowledgeStore.open(embedder="nobody/nothing")


def test_opening_and_counting_loads_no_model(
    python: Callable[..., object], tmp_path: Path, tiny_backbone: Path
) -> None:
    for source in ("default", str(tiny_backbone)):
        code = (
            "import sys; from understudy.knowledge import KnowledgeStore, Fact\n"
            f"store = KnowledgeStore.open({str(tmp_path / 'store.db')!r}, {source!r})\n"
            "store.add_facts([('Peru', 'borders', 'Chile')])\n"
            "store.stats(), store.facts('Peru'), store.search('?!'), store.search('Peru', recipe='lexical')\n"
            "print(store.embedder.name, store.embedder.dimension)\n"
            "print([m for m in ('torch', 'transformers', 'faiss', 'networkx') if m in sys.modules])"
        )
        done = python("-c", code, env={**os.environ, "PYTHONHASHSEED": "7"})
        assert done.stderr == "" and done.stdout.splitlines() == [
            f"{embedder(source).name} {embedder(source).dimension}",
            "[]",
        ]
        (tmp_path / "store.db").unlink()


def test_a_store_keeps_its_embedder(tmp_path: Path, encoder: Path, tiny_backbone: Path) -> None:
    for source in ("hashed", "default", str(tiny_backbone), str(encoder)):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.db"
        with KnowledgeStore.open(path, source) as store:
            store.add_passages([Passage("Peru", "Lima is the capital of Peru."), Passage("", "A river.")])
            found = store.search("the capital", 1, "dense")
        with KnowledgeStore.open(path) as again:
            assert again.embedder.name == embedder(source).name and again.check() == []
            assert again.search("the capital", 1, "dense") == found


def test_another_embedder_is_told_with_what_to_do_and_rebuild_does_it(tmp_path: Path, tiny_backbone: Path) -> None:
    path = tmp_path / "store.db"
    with KnowledgeStore.open(path, "hashed") as store:
        store.add_passages([Passage("Peru", "Lima is the capital of Peru."), Passage("", "A river.")])
    with pytest.raises(
        UnderstudyError,
        match=rf"of the embedder hashed-1024-3\.4, not of backbone-.*knowledge rebuild {re.escape(str(path))}",
    ):
        KnowledgeStore.open(path, str(tiny_backbone))
    seen: list[tuple[str, int, int]] = []
    with KnowledgeStore.rebuild(path, str(tiny_backbone), lambda *done: seen.append(done)) as rebuilt:
        assert rebuilt.search("Lima is the capital of Peru.", 1, "dense")[0].title == "Peru" and rebuilt.check() == []
    assert seen == [("embed", 2, 2)]
    with KnowledgeStore.open(path) as again:
        assert again.embedder.dimension == 32 and again.check() == []


class Own(HashedEmbedder):
    """An embedder that nothing can be made from again."""

    name, source = "my own", ""


def test_an_object_is_an_embedder_too(tmp_path: Path) -> None:
    with KnowledgeStore.open(tmp_path / "store.db", Own(8)) as store:
        store.add_passages([Passage("Peru", "Lima.")])
    with KnowledgeStore.open(tmp_path / "store.db", Own(8)) as again:
        assert again.search("Lima", 1, "dense")[0].title == "Peru"


@pytest.mark.parametrize("recipe", RECIPES)
def test_no_query_of_the_default_store_is_an_exception(recipe: str) -> None:
    with KnowledgeStore.open() as store:
        store.add_passages([Passage("Peru", "Lima is the capital of Peru.")])
        for query in ("日本語", "العربية", "🙂", "?!…", "\ud800", "Peru \ud800", "Peru\x00", "w " * 5000):
            assert len(store.search(query, recipe=recipe)) <= 1
