"""The Invoke namespace of mplskit: `invoke --list` shows it."""

from mplskit.tasks import namespace

namespace = namespace()
