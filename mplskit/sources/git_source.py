"""Brings one commit of a git repository: named by its hash, or by a tag that a pinned key has signed."""

import difflib
import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mplskit import files, process
from mplskit.errors import OutsideFailed, WrongInput
from mplskit.progress import note, step
from mplskit.sources.git_remote import NotGiven, Remote
from mplskit.sources.git_tag import Tag, parse_tag, signer_of
from mplskit.sources.network_settings import network
from mplskit.sources.signature import NOT_VERIFIED, Fault, Untrusted, tolerate
from mplskit.sources.source_cache import Software, tree_of
from mplskit.sources.source_spec import Git
from mplskit.sources.source_tree import SourceTree

_COMMIT = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_ABBREVIATED = re.compile(r"[0-9a-f]{7,63}")
CLOSE_NAMES = 5


@dataclass(frozen=True)
class Ref:
    """What a name stands for: a `tag`, a `branch` or a `commit`; `annotated` when `object` is a tag object."""

    kind: str
    object: str
    annotated: bool = False


def fetch(software: Software, spec: Git, cache: Path) -> SourceTree:
    """The tree of a commit, exactly as the commit has it. Raises WrongInput (no such ref, no such software),
    OutsideFailed (the repository fails, does not give it, or nothing says that it can be trusted).

    Trust is judged on each run: a commit is what its hash says, a tag needs the signature of a pinned key, and
    anything else needs `spec.insecure`. Only a full hash that is in the cache needs no network.
    """
    process.require("git", package="git")
    with _session(software, spec, cache) as session:
        ref = session.ref
        if ref.annotated:
            commit, how = session.of_tag(ref)
        elif ref.kind == "commit":
            commit, how = ref.object, f"commit {ref.object} as given"
        elif not spec.insecure:
            raise session.unsigned(
                f"a {'branch' if ref.kind == 'branch' else 'light tag'} is signed by nobody", ref.object
            )
        else:
            commit, how = ref.object, f"{ref.kind} {spec.ref} = {ref.object}, {NOT_VERIFIED}"
        origin = f"git {spec.url}, {how}"
        return tree_of(software, spec, commit, origin, cache, lambda folder: session.archived(commit, folder))


@contextmanager
def _session(software: Software, spec: Git, cache: Path) -> Iterator["_Session"]:
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        remote = Remote(spec.url, f"source {spec}", network(), Path(scratch))
        yield _Session(software, spec, cache, remote, _look_up(spec, remote), stack)


@dataclass
class _Session:
    software: Software
    spec: Git
    cache: Path
    remote: Remote
    ref: Ref
    stack: ExitStack
    repository: Path | None = None

    def of_tag(self, ref: Ref) -> tuple[str, str]:
        """The commit of an annotated tag, and how it was verified."""
        called = f"tag {self.spec.ref} of {self.spec.url}"
        kept = self.cache / "git" / f"{ref.object}.tag"
        raw = _kept(kept, ref.object) or self._tag_object(ref.object)
        tag = parse_tag(raw, called)
        if tag.name != self.spec.ref:
            raise OutsideFailed(
                f"{called} is another tag under that name",
                detail=f"its own name: {tag.name}",
                hint="the repository may have been tampered with: take another",
            )
        if tag.kind != "commit":
            raise WrongInput(f"{called} is the tag of a {tag.kind}, not of a commit", hint="name another")
        judged = self._judged(tag, called)
        files.write_atomically(kept, raw)
        return tag.target, f"tag {self.spec.ref} = {tag.target}, {judged}"

    def archived(self, commit: str, folder: Path) -> Path:
        """The commit's tree as an uncompressed tar in `folder`."""
        repository = self._fetched()
        found = self.remote.run(["git", "-C", repository, "cat-file", "-t", commit]).stdout.strip()
        if found != "commit":
            raise WrongInput(f"source {self.spec}: {commit} is a {found}, not a commit")
        tar = folder / f"{self.software.name}-{commit[:12]}.tar"
        limit = f"--fsize={2 * self.software.unpacked}"
        argv: list[process.Argument] = ["prlimit", limit, "git", "-C", repository, "archive"]
        argv += [f"--prefix={self.software.name}/", commit]
        with step(f"reading the tree of {commit[:12]}"), tar.open("wb") as file:
            self.remote.run(argv, stdout=file)
        return tar

    def unsigned(self, why: str, commit: str) -> OutsideFailed:
        return OutsideFailed(
            f"source {self.spec}: {why}",
            detail=f"it is now: {commit}",
            hint=f"if that is the commit that you mean, name it: --source git+{self.spec.url}@{commit}; "
            "or take whatever it is: --insecure-source",
        )

    def _judged(self, tag: Tag, called: str) -> str:
        if not tag.scheme:
            if not self.spec.insecure:
                raise self.unsigned("the tag is not signed", tag.target)
            return NOT_VERIFIED
        try:
            return f"signed by {signer_of(tag, self.software.name, called)}"
        except Untrusted as error:
            if error.fault is Fault.BAD:
                error.hint = "nothing of it was used: the repository may have been tampered with, take another"
            tolerate(error, self.spec.insecure)
        except OutsideFailed as error:
            if not self.spec.insecure:
                raise
            note(f"! {error.message}, and is taken all the same (--insecure-source)")
        return NOT_VERIFIED

    def _tag_object(self, tag: str) -> bytes:
        repository = self._fetched()
        found = self.remote.run(["git", "-C", repository, "cat-file", "-t", tag]).stdout.strip()
        raw = repository.parent / "tag"
        with raw.open("wb") as file:
            self.remote.run(["git", "-C", repository, "cat-file", found, tag], stdout=file)
        return raw.read_bytes()

    def _fetched(self) -> Path:
        """A repository with what was asked for in it; gone when the session ends."""
        if self.repository is None:
            wanted = self.ref.object
            place = self.cache / "git" / f"{self.software.name}-{wanted[:24]}"
            self.stack.enter_context(files.locked(place.with_name(f".{place.name}.lock")))
            shutil.rmtree(place, ignore_errors=True)
            self.stack.callback(shutil.rmtree, place, ignore_errors=True)
            files.need_space(place, self.software.unpacked // 4, f"fetching {self.software.name}")
            try:
                with step(f"fetching {self.spec.ref} from {self.spec.url}"):
                    self.remote.fetch(place / "repository", wanted, self.software.unpacked)
            except NotGiven as error:
                raise OutsideFailed(
                    f"source {self.spec}: the repository does not give that commit",
                    detail=error.detail,
                    hint="there is no such commit, or the server gives the tips of branches and tags only: name a tag",
                ) from None
            self.repository = place / "repository"
        return self.repository


def _kept(path: Path, name: str) -> bytes | None:
    """The tag object of that name (its hash) that an earlier run has written; None where there is none, or another."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    # An object's name is the hash of its kind, its length and its bytes.
    of = hashlib.new("sha1" if len(name) == 40 else "sha256", b"tag %d\0" % len(raw) + raw, usedforsecurity=False)
    if of.hexdigest() == name:
        return raw
    note(f"! {path} is damaged: it counts as not there")
    return None


def _look_up(spec: Git, remote: Remote) -> Ref:
    """What the spec's ref stands for now, as the repository says."""
    if _COMMIT.fullmatch(spec.ref):
        return Ref("commit", spec.ref.lower())
    tag, branch = f"refs/tags/{spec.ref}", f"refs/heads/{spec.ref}"
    with step(f"asking {spec.url} for {spec.ref}"):
        found = remote.refs(tag, f"{tag}^{{}}", branch)
        if tag in found:
            return Ref("tag", found[tag], f"{tag}^{{}}" in found)
        if branch in found:
            return Ref("branch", found[branch])
        raise _no_such_ref(spec, remote.refs())


def _no_such_ref(spec: Git, refs: dict[str, str]) -> WrongInput:
    names = [re.sub("^refs/(tags|heads)/", "", name) for name in refs if not name.endswith("^{}")]
    close = difflib.get_close_matches(spec.ref, dict.fromkeys(names), CLOSE_NAMES, 0.6)
    hint = f"close names: {', '.join(close)}" if close else "a tag, a branch, or a commit by its full hash is allowed"
    if _ABBREVIATED.fullmatch(spec.ref):
        hint = "a commit is named by its full hash, 40 hexadecimal digits"
    return WrongInput(f"source {spec}: the repository has no tag or branch {spec.ref}", hint=hint)
