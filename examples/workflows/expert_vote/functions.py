"""The functions of team.yaml."""

from understudy import register


@register
def by_words(request: str) -> str:
    return "spam" if "free" in request.lower() else "fine"


@register
def by_case(request: str) -> str:
    return "spam" if request.isupper() else "fine"


@register
def by_marks(request: str) -> str:
    return "spam" if request.count("!") > 2 else "fine"
