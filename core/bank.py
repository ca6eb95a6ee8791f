"""HeadBank: many heads on one backbone, applied by two batched matrix products.

    y[b] = W x[b] + (x[b] A[h(b)]) B[h(b)] · mask[b]          LoRA (Hu et al. 2021), one head h(b) per row b

The stacked tensors ``A [H, in, R]`` and ``B [H, R, out]`` of a site serve learning and decoding alike: R roles adapt
in one backward pass and R agents decode in one batch, because each row picks its own head by an index.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .errors import UnderstudyError

if TYPE_CHECKING:
    from .heads import Head

Pair = tuple[Tensor, Tensor]


@dataclass
class CallContext(threading.local):
    """What the banked layers read during one forward pass: each site's gathered pair and where the heads are active.

    Each thread has its own, so that one may decode while another learns on the same backbone.

    Attributes:
        pairs: site → (A [B, in, R], B [B, R, out]), already gathered for the rows of the batch; None is the bare
            backbone. With fewer heads than rows, B = H·K: the first K rows have head 0, the next K head 1, and so on.
            Or, with ``select``, a few heads side by side: (A [in, H·R], B [H·R, out]).
        mask: [B, T], 1 where the head of the row is active; None for everywhere.
        select: [B, H·R], 1 on the columns of each row's own head.
    """

    pairs: Mapping[str, Pair] | None = None
    mask: Tensor | None = None
    select: Tensor | None = None


@dataclass
class BankedLayer:
    """The forward hook on one linear site: adds the row's own low-rank term to the site's output."""

    site: str
    context: CallContext = field(default_factory=CallContext)

    def __call__(self, module: torch.nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        """``inputs[0]`` is [B, T, in], ``output`` [B, T, out]; returns the adapted output, None when no head is on."""
        if self.context.pairs is None:
            return None
        if self.site not in self.context.pairs:
            return None
        down, up = self.context.pairs[self.site]
        rows = inputs[0]
        if self.context.select is None:
            if len(rows) % len(down):
                raise UnderstudyError(f"{len(rows)} rows do not fall into {len(down)} groups of the same size")
            grouped = rows if len(down) == len(rows) else rows.reshape(len(down), -1, rows.shape[-1])
            term = torch.bmm(torch.bmm(grouped, down.to(rows.dtype)), up.to(rows.dtype)).view_as(output)
        else:
            term = (rows @ down.to(rows.dtype) * self.context.select.unsqueeze(1).to(rows.dtype)) @ up.to(rows.dtype)
        if self.context.mask is not None:
            term = term * self.context.mask.unsqueeze(-1).to(term.dtype)
        return output + term


@contextmanager
def active(
    context: CallContext,
    pairs: Mapping[str, Pair] | None,
    mask: Tensor | None = None,
    select: Tensor | None = None,
) -> Iterator[None]:
    """Run the backbone with these gathered heads inside the ``with`` block, bare again after it."""
    before = context.pairs, context.mask, context.select
    context.pairs, context.mask, context.select = pairs, mask, select
    try:
        yield
    finally:
        context.pairs, context.mask, context.select = before


@dataclass
class HeadStack:
    """Heads as stacked tensors: what learning works on (a dict of tensors) and what the bank keeps.

    Attributes:
        down: site → A [H, in, R].
        up: site → B [H, R, out].
    """

    down: dict[str, Tensor]
    up: dict[str, Tensor]

    @classmethod
    def random(cls, sites: Mapping[str, tuple[int, int]], heads: int, rank: int, seed: int = 0) -> HeadStack:
        """A ~ N(0, 1/in), B = 0: a head that changes nothing yet. ``sites``: name → (in, out)."""
        generator = torch.Generator().manual_seed(seed)
        down = {
            name: torch.randn(heads, wide, rank, generator=generator) * wide**-0.5 for name, (wide, _) in sites.items()
        }
        up = {name: torch.zeros(heads, rank, out) for name, (_, out) in sites.items()}
        return cls(down, up)

    def __len__(self) -> int:
        return next(iter(self.down.values())).shape[0]

    def gather(self, rows: Tensor) -> dict[str, Pair]:
        """Each site's (A, B) for a batch: ``rows`` [B] holds every row's head index."""
        return {site: (self.down[site][rows], self.up[site][rows]) for site in self.down}

    def grouped(self) -> dict[str, Pair]:
        """Each site's (A, B) as they are, for rows that lie in H groups of one size: nothing is copied."""
        return {site: (self.down[site], self.up[site]) for site in self.down}

    def of_rows(self, rows: Tensor) -> dict[str, Pair]:
        """:meth:`grouped` where ``rows`` [B] has each head equally often, one after the other; else :meth:`gather`."""
        each, rest = divmod(len(rows), len(self))
        even = not rest and torch.equal(rows, torch.arange(len(self), device=rows.device).repeat_interleave(each))
        return self.grouped() if even else self.gather(rows)

    def beside(self, rows: Tensor) -> tuple[dict[str, Pair], Tensor]:
        """All heads side by side, and each row's selection: cheaper than gathering when B is much larger than H.

        Returns site → (A [in, H·R], B [H·R, out]), and ``select`` [B, H·R].
        """
        pairs = {
            site: (self.down[site].permute(1, 0, 2).flatten(1), self.up[site].flatten(0, 1)) for site in self.down
        }
        rank = next(iter(self.up.values())).shape[1]
        select = torch.nn.functional.one_hot(rows, len(self)).repeat_interleave(rank, dim=1)
        return pairs, select

    def to(self, device: torch.device | str) -> HeadStack:
        """The same heads on ``device``."""
        return HeadStack(*({site: t.to(device) for site, t in side.items()} for side in (self.down, self.up)))

    def tensors(self) -> dict[str, Tensor]:
        """All tensors under flat names (``site|down``, ``site|up``), for optimisers and meta-learners."""
        flat = {f"{site}|down": tensor for site, tensor in self.down.items()}
        flat.update({f"{site}|up": tensor for site, tensor in self.up.items()})
        return flat

    @classmethod
    def of_tensors(cls, flat: Mapping[str, Tensor]) -> HeadStack:
        """The inverse of :meth:`tensors`."""
        down = {name[: -len("|down")]: tensor for name, tensor in flat.items() if name.endswith("|down")}
        up = {name[: -len("|up")]: tensor for name, tensor in flat.items() if name.endswith("|up")}
        return cls(down, up)

    def repeat(self, heads: int) -> HeadStack:
        """``heads`` copies of head 0, as fresh leaves that require gradients."""

        def copies(tensor: Tensor) -> Tensor:
            return tensor[:1].detach().expand(heads, *tensor.shape[1:]).clone().requires_grad_(True)

        return HeadStack({s: copies(t) for s, t in self.down.items()}, {s: copies(t) for s, t in self.up.items()})

    @classmethod
    def joined(cls, stacks: Sequence[HeadStack]) -> HeadStack:
        """The heads of all ``stacks``, in order."""
        sites = stacks[0].down
        return cls(
            {site: torch.cat([stack.down[site] for stack in stacks]) for site in sites},
            {site: torch.cat([stack.up[site] for stack in stacks]) for site in sites},
        )

    def pick(self, index: int) -> HeadStack:
        """One head as a stack of its own (detached copies)."""
        return HeadStack(
            {s: t[index : index + 1].detach().clone() for s, t in self.down.items()},
            {s: t[index : index + 1].detach().clone() for s, t in self.up.items()},
        )


class HeadBank:
    """The heads in use on one backbone, by name. Slot 0 is the bare backbone (a head of zeros).

    Capacity doubles when it is used up, so adding the 1,000th head costs what the first did; heads of a smaller rank
    are padded with zeros, which leaves their products unchanged.

    Args:
        sites: site name → (in, out) of the backbone.
        rank: rank of the stacked tensors; grows when a head of a higher rank is added.
        digest: fingerprint of the backbone; a head that names another one is refused.
    """

    BARE = ""

    def __init__(self, sites: Mapping[str, tuple[int, int]], rank: int = 8, digest: str = "") -> None:
        self.sites = dict(sites)
        self.digest = digest
        self.rank = rank
        self._lock = threading.RLock()  # heads are added by one thread while another gathers
        self._slots: dict[str, int] = {self.BARE: 0}
        self._heads: dict[str, Head] = {}
        self._stack = self._empty(4, rank)

    def _empty(self, capacity: int, rank: int) -> HeadStack:
        return HeadStack(
            {name: torch.zeros(capacity, wide, rank) for name, (wide, _) in self.sites.items()},
            {name: torch.zeros(capacity, rank, out) for name, (_, out) in self.sites.items()},
        )

    def _grow(self, capacity: int, rank: int) -> None:
        bigger = self._empty(capacity, rank)
        heads, old = len(self._stack), self.rank
        for site in self.sites:
            bigger.down[site][:heads, :, :old] = self._stack.down[site]
            bigger.up[site][:heads, :old] = self._stack.up[site]
        self._stack, self.rank = bigger, rank

    def add(self, head: Head) -> int:
        """Put ``head`` into the bank under its name (replacing a former one) and return its index.

        Raises:
            UnderstudyError: the head's sites or widths are not this backbone's.
        """
        mend = "learn the heads again on this backbone: understudy learn --all"
        made_for = head.backbone.get("digest", "")
        if made_for and self.digest and made_for != self.digest:
            name = head.backbone.get("name", "")
            raise UnderstudyError(
                f"the head was made for another backbone ({name} {made_for}, this one is {self.digest})",
                where=f"head {head.name}", mend=mend,
            )  # fmt: skip
        for site, (down, up) in head.pairs.items():
            if self.sites.get(site) != (down.shape[0], up.shape[1]):
                raise UnderstudyError(
                    f"the head was made for another backbone (site {site} does not fit)",
                    where=f"head {head.name}",
                    mend=mend,
                )
        with self._lock:
            return self._put(head)

    def _put(self, head: Head) -> int:
        rank = head.rank
        slot = self._slots.get(head.name, len(self._slots))
        if rank > self.rank or slot >= len(self._stack):
            grown = len(self._stack) * (2 if slot >= len(self._stack) else 1)
            self._grow(grown, max(rank, self.rank))
        for site in self.sites:
            self._stack.down[site][slot] = 0
            self._stack.up[site][slot] = 0
            if site in head.pairs:  # a head may adapt the upper layers alone
                self._stack.down[site][slot, :, :rank], self._stack.up[site][slot, :rank] = head.pairs[site]
        self._slots[head.name] = slot
        self._heads[head.name] = head
        return slot

    def index(self, name: str) -> int:
        """The slot of head ``name``; ``""`` is the bare backbone. Raises UnderstudyError for an unknown name."""
        if name not in self._slots:
            known = ", ".join(sorted(n for n in self._slots if n)) or "none"
            raise UnderstudyError(f"no head named {name!r} in the bank", mend=f"known heads: {known}")
        return self._slots[name]

    def head(self, name: str) -> Head | None:
        """The head under ``name``; None for the bare backbone."""
        self.index(name)
        return self._heads.get(name)

    def names(self) -> tuple[str, ...]:
        """The names of all heads, in the order in which they came."""
        return tuple(self._heads)

    def gather(self, names: Sequence[str]) -> dict[str, Pair]:
        """Each site's (A, B) for rows that name their heads, gathered once for a batch's composition."""
        with self._lock:
            return self._stack.gather(torch.tensor([self.index(name) for name in names]))
