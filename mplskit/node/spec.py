"""What a node is: which interfaces accept labelled packets, its table size, its loopbacks and routes."""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from mplskit.errors import WrongInput

LABEL_MAX = (1 << 20) - 1
FIRST_FREE_LABEL = 16
IMPLICIT_NULL = 3
EXPLICIT_NULLS = (0, 2)  # of IPv4 and of IPv6
STACK_MAX = 30  # Linux 4.12 and later: MAX_NEW_LABELS in net/mpls/internal.h

# Linux refuses "/", ":" and white space (dev_valid_name in net/core/dev.c); the others mean something of their own
# in sysctl.d, in udev rules or in a batch of `ip`.
_NOT_IN_A_NAME = frozenset("/:%#=*?[]{}\\'\"$;`")


def interface_name(name: str) -> str:
    """A network interface's name, as it is. Raises ValueError with the rule that it breaks."""
    if not 1 <= len(name.encode()) <= 15:
        raise ValueError("an interface name has 1 to 15 bytes")
    if name in (".", ".."):
        raise ValueError("an interface cannot be named . or ..")
    if name in ("all", "default"):
        raise ValueError(f"there is no net.mpls.conf.{name}: name each interface")
    wrong = [c for c in name if c in _NOT_IN_A_NAME or not "!" <= c <= "~"]
    if wrong:
        raise ValueError(f"an interface name cannot hold {wrong[0]!r}")
    return name


def _in_label(label: int) -> int:
    if not FIRST_FREE_LABEL <= label < LABEL_MAX:
        raise ValueError(f"an incoming label is {FIRST_FREE_LABEL} to {LABEL_MAX - 1}")
    return label


def _out_label(label: int) -> int:
    if label == IMPLICIT_NULL:
        raise ValueError(
            f"implicit null ({IMPLICIT_NULL}) is never on the wire: for penultimate hop popping write {{pop: L, via: A}}"
        )
    if label not in EXPLICIT_NULLS and not FIRST_FREE_LABEL <= label <= LABEL_MAX:
        raise ValueError(f"an outgoing label is {FIRST_FREE_LABEL} to {LABEL_MAX}, or explicit null (0, 2)")
    return label


Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
InterfaceName = Annotated[str, AfterValidator(interface_name)]
InLabel = Annotated[int, Field(strict=True), AfterValidator(_in_label)]
OutLabel = Annotated[int, Field(strict=True), AfterValidator(_out_label)]
Stack = Annotated[tuple[OutLabel, ...], Field(min_length=1, max_length=STACK_MAX)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class Push(_Part):
    """Packets to `to` get the label stack `push` (top first) and go to the next hop `via`."""

    push: Stack
    to: Network
    via: Address
    dev: InterfaceName | None = None
    src: Address | None = None

    @model_validator(mode="after")
    def _families_agree(self) -> Self:
        if self.to.version == 6 and self.via.version == 4:
            raise ValueError("an IPv6 destination cannot have an IPv4 next hop")
        if self.src is not None and self.src.version != self.to.version:
            raise ValueError("src and to must be of one address family")
        _need_device(self.via, self.dev)
        return self


class Swap(_Part):
    """Packets with the top label `swap` get the stack `as` in its place and go to `via`."""

    swap: InLabel
    as_: Stack = Field(alias="as")
    via: Address
    dev: InterfaceName | None = None

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        _need_device(self.via, self.dev)
        return self


class Pop(_Part):
    """Packets with the top label `pop` lose it and are delivered: here (`dev: lo`), in a VRF (`dev`), or to `via` (PHP)."""

    pop: InLabel
    via: Address | None = None
    dev: InterfaceName | None = None

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if self.via is None and self.dev is None:
            raise ValueError("a pop needs dev (lo, a VRF) or via (a next hop)")
        if self.via is not None:
            _need_device(self.via, self.dev)
        return self


def _need_device(via: Address, dev: str | None) -> None:
    if via.is_link_local and via.version == 6 and dev is None:
        raise ValueError(f"the link-local next hop {via} needs dev")


Route = Push | Swap | Pop


def route_kind(value: object) -> str:
    """Which of the route forms a mapping or route is, by the one key that only that form has. Raises ValueError."""
    names = value if isinstance(value, dict) else value.__class__.model_fields if isinstance(value, _Part) else {}
    kinds = [kind for kind in ("push", "swap", "pop") if kind in names]
    if len(kinds) != 1:
        raise ValueError("a route has exactly one of push, swap, pop")
    return kinds[0]
