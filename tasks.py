"""The Invoke namespace of mplskit: `invoke --list` shows it."""

from mplskit.tasks import namespace as compose
from tests.tasks import collection as tests

namespace = compose()
namespace.add_collection(tests)
