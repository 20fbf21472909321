"""Configuration: TOML text becomes a validated model, or an error of one line that names the wrong key."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from barkhausen.core.dotted import put
from barkhausen.core.errors import InputError, did_you_mean, shortened
from barkhausen.core.files.kinds import names_device_file
from barkhausen.core.files.reading import decoded, is_file, read_bytes
from barkhausen.core.plausible import IMPLAUSIBLE
from barkhausen.core.registry import Registry

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Model = TypeVar("Model", bound=BaseModel)

UNKNOWN_KEY = "unknown_key"
"""Type of the error of an unknown key among the options of an entry, with the keys that there are."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Real = Annotated[float, Field(allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Threads = Annotated[int, Field(ge=1, le=1024)]


class Parameters(BaseModel):
    """Base class of tables that a user writes: unknown keys are refused, values are frozen.

    Raises:
        InputError: An unknown key, a wrong type or a value out of range; the first one found.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise InputError(_line(type(self), error, type(self).__name__)) from None

    # For models within models, whose errors pydantic collects with their keys, this is no constructor of their own.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]


class StrictParameters(Parameters):
    """Variant of :class:`Parameters` that refuses values of another type, even convertible ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class LaterKeys(StrictParameters):
    """Table with keys that came after the first runs were made: at their defaults they are not written.

    So resolved recipes of earlier runs stay the same text, and such a run can be resumed.
    """

    @model_serializer(mode="wrap")
    def _without_the_usual(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        later = self.later()
        fields = type(self).model_fields
        return {
            key: value
            for key, value in values.items()
            if key not in later or key in self.kept() or value != fields[key].default
        }

    def kept(self) -> tuple[str, ...]:
        """Names of those that are written all the same."""
        return ()

    @classmethod
    def later(cls) -> tuple[str, ...]:
        """Names of the keys that came later."""
        return tuple(cls.model_fields)


class NoOptions(StrictParameters):
    """Options of an entry that has none of its own."""


def name_in(registry: Registry[Any]) -> AfterValidator:
    """Check of a key whose value is the name of an entry of ``registry``."""

    def check(name: str) -> str:
        if registry.find(name) is None:
            context = {"what": registry.what, "hint": did_you_mean(name, registry)}
            raise PydanticCustomError("unknown_entry", "no such {what}{hint}", context)
        return name

    return AfterValidator(check)


def own_options(model: type[Parameters], given: Any) -> Parameters:
    """Options of an entry as its own model; for the validator of the key that holds them."""
    if isinstance(given, model):
        return given
    try:
        return model.model_validate(given.model_dump() if isinstance(given, Parameters) else given)
    except ValidationError as error:
        # The table around them does not know the model, and so not which keys there are.
        details = [_with_known_keys(model, each) for each in error.errors()]
        raise ValidationError.from_exception_data(error.title, details) from None


def _with_known_keys(model: type[BaseModel], error: ErrorDetails) -> InitErrorDetails:
    """An error of a model once more; that of an unknown key has the keys that there are."""
    # A custom error may have the type of any other, and then reads as that one does.
    again = PydanticCustomError(error["type"], error["msg"], error.get("ctx"))
    if error["type"] == "extra_forbidden":
        again = PydanticCustomError(UNKNOWN_KEY, "unknown key", {"known": _keys_beside(model, error["loc"])})
    return InitErrorDetails(type=again, loc=error["loc"], input=error["input"])


def source_of(key: str, origin: str, settings: Sequence[str]) -> str:
    """Where the value of a key comes from, for messages.

    Args:
        key: Dotted key; empty for a whole file.
        origin: Name of the source of values that no setting gives, such as a file name.
        settings: Settings ``key=value`` of the command line. That of the key, or of a table around it, is the source.
            Settings of keys within a table are named beside the origin.
    """
    names = [setting.partition("=")[0].strip() for setting in settings]
    for name, setting in zip(reversed(names), reversed(settings), strict=True):
        if f"{key}.".startswith(f"{name}."):
            return f"--set {shortened(setting)}"
    within = [shortened(setting) for name, setting in zip(names, settings, strict=True) if name.startswith(f"{key}.")]
    return f"{origin} with {', '.join(f'--set {setting}' for setting in within)}" if key and within else origin


def validated(model: type[Model], values: dict[str, Any], origin: str, settings: Sequence[str] = ()) -> Model:
    """Model built from ``values``, or an error of one line that names the wrong key and what is allowed.

    Args:
        model: Pydantic model.
        values: Nested dictionary, as read from TOML.
        origin: Name of the source of the values, for messages (a file name).
        settings: Settings ``key=value`` of the command line that were applied to the values; a message about one of
            their values names the setting in place of ``origin``.

    Raises:
        InputError: An unknown key, a wrong type or a value out of range; the first one found.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InputError(_line(model, error, origin, settings)) from None


def _line(model: type[BaseModel], error: ValidationError, origin: str, settings: Sequence[str] = ()) -> str:
    """The first error found in one line: which key, which value, what is allowed."""
    errors = error.errors()
    # Of a key that is missing because it is misspelt, the wrong name says more.
    misspelt = [found for found in errors if found["type"] in ("extra_forbidden", UNKNOWN_KEY)]
    first = misspelt[0] if misspelt and errors[0]["type"] == "missing" else errors[0]
    key = ".".join(shortened(str(part)) for part in first["loc"])
    origin = source_of(".".join(map(str, first["loc"])), origin, settings)
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    if first["type"] in ("extra_forbidden", UNKNOWN_KEY):
        known = first["ctx"]["known"] if first["type"] == UNKNOWN_KEY else _keys_beside(model, first["loc"])
        return f"{origin}: unknown key '{key}'{_meant(first['loc'], known)}"
    if first["type"] == IMPLAUSIBLE:
        return f"{origin}: {key} = {first['msg']}{more}"
    where = f"{key}: " if key else ""
    if first["type"] == "value_error":
        return f"{origin}: {where}{first['ctx']['error']}{more}"
    message = {"model_type": "must be a table", "missing": "must be given"}.get(first["type"], first["msg"])
    message = message[0].lower() + message[1:]
    if first["type"] in ("tuple_type", "list_type") and str(first["input"]).startswith("["):
        # A setting that is no TOML stays text.
        message += "; texts in a list need quotes"
    # A whole table is no value to show: the key is missing in it, or its keys do not fit together.
    if key and first["type"] != "missing" and not isinstance(first["input"], dict | BaseModel):
        where = f"{key} = {_short(first['input'])}: "
    return f"{origin}: {where}{message}{more}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _meant(location: tuple[int | str, ...], known: list[str]) -> str:
    """Suggestion for the last part of an unknown key, preceded by the tables that contain it."""
    *tables, last = (str(part) for part in location)
    hint = did_you_mean(last, known)
    for name in known:
        hint = hint.replace(f"'{name}'", f"'{'.'.join([*tables, name])}'")
    return hint


def _keys_beside(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Names of the keys allowed where the unknown key at ``location`` stands."""
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        inner = field.annotation if field is not None else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)


def read_text(path: str | Path) -> str:
    """Read a UTF-8 text file, with or without a byte-order mark.

    Raises:
        InputError: The file is missing, unreadable, or not UTF-8.
    """
    path = Path(path)
    return decoded(read_bytes(path), path)


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        InputError: The file is missing, unreadable, a device file, or not TOML (with line and column).
    """
    path = Path(path)
    if names_device_file(path) and is_file(path):
        raise InputError(
            f"{path}: is a device file, not TOML: `barkhausen devices {path}` shows it, and recipes name it "
            f"as device.file"
        )
    text = read_text(path)
    try:
        values = tomllib.loads(text)
    # Not only TOMLDecodeError: an integer of thousands of digits is a plain ValueError.
    except ValueError as error:
        raise InputError(f"{path}: is not valid TOML: {error}") from None
    except RecursionError:
        raise InputError(f"{path}: is not valid TOML: nested too deeply") from None
    check_plain(values, str(path))
    return values


LARGEST_INTEGER = 2**63 - 1


def check_plain(value: Any, origin: str, key: str = "") -> None:
    """Refuse what TOML can hold and no key takes: dates, NUL characters, and integers of more than 64 bits.

    Raises:
        InputError: There is one; the message names its key.
    """
    if isinstance(value, dict):
        for name, item in value.items():
            _check_text(name, origin, "a key")
            check_plain(item, origin, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for item in value:
            check_plain(item, origin, key)
    elif isinstance(value, str):
        _check_text(value, origin, key)
    elif isinstance(value, int) and not -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER:
        raise InputError(f"{origin}: {key} = {_short(value)}: has more than 64 bits")
    elif isinstance(value, datetime.date | datetime.time):
        raise InputError(f"{origin}: {key} = {value}: is a date or a time; no key takes one")


def _check_text(text: str, origin: str, key: str) -> None:
    if "\0" in text:
        raise InputError(f"{origin}: {key} = {_short(text)}: holds the character NUL")


def apply_setting(values: dict[str, Any], setting: str) -> None:
    """Apply one ``key=value`` of the command line to nested values, in place.

    Args:
        values: Nested dictionary, as read from TOML.
        setting: Text such as ``states=3`` or ``dataset.name=digits``; the value is read as TOML, or as a string
            if it is not TOML. A number in the key names an entry of a list: ``shape.notches.0.depth=4e-9``.

    Raises:
        InputError: No key or no value, or a part of the key is neither a table nor an entry of a list.
    """
    key, equals, text = setting.partition("=")
    key = key.strip()
    if not equals or not key:
        raise InputError(f"--set {shortened(setting)}: must be key=value, such as states=3 or dataset.name=digits")
    try:
        read = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        read = {}
    # More than the one key: the text goes on after a line break.
    value = read["value"] if len(read) == 1 else text.strip()
    check_plain(value, f"--set {setting}", key)
    try:
        put(values, key, value)
    except InputError as error:
        raise InputError(f"--set {shortened(setting)}: {error}") from None


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one dictionary with dotted keys."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        result |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return result


def differing(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Keys of two flat tables with other values, or in one of them alone, in alphabetical order."""
    return [key for key in sorted(mine.keys() | theirs.keys()) if mine.get(key) != theirs.get(key)]
