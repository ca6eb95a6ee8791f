"""A backbone's portrait: how well it predicts text, ten samples as they came, and a role learned in another script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from .core.adaptation import adapt
from .core.backbone import Backbone
from .core.bank import HeadBank
from .core.decoding import Call, Decoder
from .core.distillation import Teacher
from .core.fields import Choice, Record
from .core.meta.start import Start
from .core.prompts import Example, Prompt
from .core.texts import validation_texts

WIDTH = 256
CHINESE = {
    "账单": (
        "这个月我被扣了两次费", "请把多收的钱退给我", "我的发票金额不对", "为什么账单比上个月贵", "信用卡付款失败了",
        "我想要一张新的发票", "退款什么时候到账", "你们收费太高了", "我已经付款但显示未支付", "请取消自动扣款",
        "价格和网站上写的不一样", "我要查上个月的费用",
    ),
    "故障": (
        "应用一打开就崩溃", "登录页面打不开", "上传文件时出现错误", "屏幕一直是黑的", "手机收不到验证码",
        "网站今天非常慢", "按钮点了没有反应", "更新以后不能用了", "图片显示不出来", "声音突然没有了",
        "程序总是自己退出", "连接服务器失败",
    ),
}  # fmt: skip
"""Customers' messages, of a bill or of a fault, written for this."""


def portrait(backbone: Backbone, start: Start, data: Path, encoder: Path | None = None) -> dict[str, Any]:
    """What is printed with every backbone.

    Args:
        data: the data folder; of its texts only documents kept from training are read.
        encoder: a sentence encoder, with whose neighbours those of the backbone's embedding are compared.

    Returns:
        ``bits_per_byte``, ``samples`` (ten), ``chinese`` (right of how many unseen messages, and left-out accuracy),
        and, with an encoder, ``neighbours``: of each sentence's ten nearest by the encoder, the share that is among
        ours.
    """
    texts = validation_texts(data, 400)
    found: dict[str, Any] = {
        "bits_per_byte": round(bits_per_byte(backbone, texts), 3),
        "samples": samples(backbone, texts[:10]),
        "chinese": chinese(backbone, start),
    }
    if encoder:
        found["neighbours"] = round(neighbours(backbone, Teacher.load(encoder), texts), 3)
    return found


@torch.no_grad()
def bits_per_byte(backbone: Backbone, texts: Sequence[str]) -> float:
    """−log₂ p(text) over its bytes; the first token of each text is given."""
    bits, length = 0.0, 0
    for text in texts:
        ids = torch.tensor([backbone.encode(text)[:WIDTH]])
        if ids.shape[1] < 2:
            continue
        logits = backbone.logits(backbone.hidden(ids))[0, :-1].float()
        bits += float(F.cross_entropy(logits, ids[0, 1:], reduction="sum")) / math.log(2)
        length += len(backbone.decode(ids[0, 1:].tolist()).encode())
    return bits / max(length, 1)


@torch.no_grad()
def samples(backbone: Backbone, texts: Sequence[str], words: int = 6, tokens: int = 24) -> list[str]:
    """What the backbone writes after the first words of each text, drawn at temperature 0.8; nothing is left out."""
    generator = torch.Generator().manual_seed(0)
    found = []
    for text in texts:
        begin = " ".join(text.split()[:words])
        ids = list(backbone.encode(begin))
        given = len(ids)
        for _ in range(tokens):
            logits = backbone.logits(backbone.hidden(torch.tensor([ids]))[0, -1]).float() / 0.8
            ids.append(int(torch.multinomial(logits.softmax(-1), 1, generator=generator)))
        found.append(f"{begin} …{backbone.tokenizer.decode(ids[given:], skip_special_tokens=False)}")
    return found


def chinese(backbone: Backbone, start: Start) -> dict[str, Any]:
    """A role of two labels from eight Chinese demonstrations, asked sixteen messages that it has not seen."""
    record = Record((("标签", Choice(tuple(CHINESE))),))

    def example(text: str, label: str) -> Example:
        return Example(Prompt(message=(("内容", text),), role="分类客户消息"), record, {"标签": label})

    made = {label: [example(text, label) for text in some] for label, some in CHINESE.items()}
    shown = [example for some in zip(*made.values(), strict=True) for example in some]
    head, report = adapt(backbone, shown[:8], start, name="chinese")
    bank = HeadBank(backbone.sites)
    bank.add(head)
    replies = Decoder(backbone, bank).decode([Call(e.prompt, e.record, head.name) for e in shown[8:]])
    right = sum(r.values == dict(e.values) for r, e in zip(replies, shown[8:], strict=True))
    return {"right": right, "of": len(shown) - 8, "left_out": round(report.accuracy, 3)}


def neighbours(backbone: Backbone, teacher: Teacher, texts: Sequence[str], nearest: int = 10) -> float:
    """Of each text's ``nearest`` by the teacher, the share that is among its nearest by the backbone's embedding."""
    found = []
    for vectors in (teacher.encode(texts), backbone.embed(texts)):
        scores = vectors @ vectors.t()
        scores.fill_diagonal_(-2.0)
        found.append([set(row) for row in scores.topk(min(nearest, len(texts) - 1)).indices.tolist()])
    return sum(len(theirs & ours) / len(theirs) for theirs, ours in zip(*found, strict=True)) / len(texts)
