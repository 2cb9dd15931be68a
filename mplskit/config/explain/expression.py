"""What Kconfiglib makes of the conditions of the Kconfig language."""

from typing import Any

from kconfiglib import Choice, Symbol

Item = Symbol | Choice
# A tuple is (operator, operand) or (operator, left, right).
Expression = Symbol | Choice | tuple[Any, ...]
