"""What a node is: which interfaces accept labelled packets, its table size, its loopbacks and routes."""

from collections.abc import Callable
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Annotated, ClassVar, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from mplskit.errors import WrongInput
from mplskit.specfile import Fault, faults_of

Parsed = TypeVar("Parsed")

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
            f"implicit null ({IMPLICIT_NULL}) is never on the wire; a penultimate hop pops: {{pop: L, via: A}}"
        )
    if label not in EXPLICIT_NULLS and not FIRST_FREE_LABEL <= label <= LABEL_MAX:
        raise ValueError(f"an outgoing label is {FIRST_FREE_LABEL} to {LABEL_MAX}, or explicit null (0, 2)")
    return label


def _stack(labels: tuple[int, ...]) -> tuple[int, ...]:
    if not 1 <= len(labels) <= STACK_MAX:
        raise ValueError(f"a label stack has 1 to {STACK_MAX} labels")
    return labels


def _written(parse: Callable[[str], Parsed]) -> BeforeValidator:
    """Takes text only: the ipaddress module would take a number for an address, too."""

    def read(value: object) -> object:
        if isinstance(value, int | bytes):
            raise ValueError("an address is text")
        return parse(value) if isinstance(value, str) else value

    return BeforeValidator(read)


Address = Annotated[IPv4Address | IPv6Address, _written(ip_address)]
Network = Annotated[IPv4Network | IPv6Network, _written(ip_network)]
Loopback = Annotated[IPv4Interface | IPv6Interface, _written(ip_interface)]
InterfaceName = Annotated[str, AfterValidator(interface_name)]
InLabel = Annotated[int, Field(strict=True), AfterValidator(_in_label)]
OutLabel = Annotated[int, Field(strict=True), AfterValidator(_out_label)]
Stack = Annotated[tuple[OutLabel, ...], AfterValidator(_stack)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Push(_Part):
    """Packets to `to` get the label stack `push` (top first) and go to the next hop `via`."""

    kind: ClassVar[str] = "push"
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

    kind: ClassVar[str] = "swap"
    swap: InLabel
    as_: Stack = Field(alias="as")
    via: Address
    dev: InterfaceName | None = None

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        _need_device(self.via, self.dev)
        return self


class Pop(_Part):
    """Packets with the top label `pop` lose it: delivered here (`dev: lo`), in a VRF (`dev`), or sent `via` (PHP)."""

    kind: ClassVar[str] = "pop"
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


def _need_device(via: IPv4Address | IPv6Address, dev: str | None) -> None:
    if via.version == 6 and via.is_link_local and dev is None:
        raise ValueError(f"the link-local next hop {via} needs dev")


def _kind(value: object) -> str | None:
    keys = value if isinstance(value, dict) else type(value).model_fields if isinstance(value, _Part) else ()
    kinds = [kind for kind in ("push", "swap", "pop") if kind in keys]
    return kinds[0] if len(kinds) == 1 else None


Route = Annotated[
    Annotated[Push, Tag("push")] | Annotated[Swap, Tag("swap")] | Annotated[Pop, Tag("pop")],
    Discriminator(
        _kind, custom_error_type="route", custom_error_message="a route has exactly one of push, swap and pop"
    ),
]


class NodeSpec(_Part):
    """One node. `platform_labels` is the size of the label table: incoming labels are below it."""

    platform_labels: Annotated[int, Field(strict=True, ge=0, le=LABEL_MAX)] = 100_000
    mpls_input: tuple[InterfaceName, ...] = ()
    loopbacks: tuple[Loopback, ...] = ()
    routes: tuple[Route, ...] = ()

    @model_validator(mode="after")
    def _agree(self) -> Self:
        for name in self.mpls_input:
            if self.mpls_input.count(name) > 1:
                raise ValueError(f"mpls_input names {name} twice")
        labels = [label for route in self.routes if (label := incoming(route)) is not None]
        for label in labels:
            if label >= self.platform_labels:
                raise ValueError(f"label {label} needs platform_labels above {label}: it is {self.platform_labels}")
            if labels.count(label) > 1:
                raise ValueError(f"label {label} has more than one route")
        return self


def incoming(route: Push | Swap | Pop) -> int | None:
    """The label that a route matches on; None for a push."""
    return route.swap if isinstance(route, Swap) else route.pop if isinstance(route, Pop) else None


def problems(error: ValidationError) -> list[Fault]:
    """What pydantic found wrong in a node, in our words."""
    return faults_of(NodeSpec, error)


def wrong_input(error: ValidationError, what: str) -> WrongInput:
    """The failure to raise for a spec that came from the command line or from a program."""
    return WrongInput(f"{what} cannot be right", detail="\n".join(str(problem) for problem in problems(error)))
