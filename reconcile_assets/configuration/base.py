"""What all configuration models share: frozen, strict, and a way to refuse with the field's name."""

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class Frozen(BaseModel):
    """A model that refuses unknown fields and cannot change."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True)


def refusal(place: str | tuple[str | int, ...], message: str, value: object = None) -> PydanticCustomError:
    """An error that a model raises about one of its fields.

    Args:
        place: the field, from the model's own place: ``"end"``, or ``("checks", 2, "name")``.
        message: what is wrong and the next step, without the value.
        value: shown between the field and the message when given.
    """
    path = (place,) if isinstance(place, str) else place
    return PydanticCustomError("refused", "{message}", {"place": path, "message": message, "value": value})
