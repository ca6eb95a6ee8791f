"""The functions of team.yaml."""

from understudy import register


@register
def classify(request: str) -> str:
    words = request.lower().split()
    return "billing" if "invoice" in words else "technical" if "error" in words else "general"


@register
def billing(request: str) -> str:
    return f"Accounts will look into: {request}"


@register
def technical(request: str) -> str:
    return f"Have you tried again? {request}"


@register
def general(request: str) -> str:
    return f"Thank you for writing: {request}"
