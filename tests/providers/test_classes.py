"""By which name an entry of the configuration chooses a class."""

from typing import Any

import pytest

from llms.kernel.errors import ConfigError
from llms.providers.classes import Classes
from llms.providers.generator import GeneratorBase
from llms.providers.openai_compatible import GroqProvider, OpenAiCompatible


@pytest.fixture
def classes() -> Classes:
    return Classes(OpenAiCompatible, GroqProvider)


class MyProvider(OpenAiCompatible):  # as the guide has it
    name = "my-provider"


class Unnamed(OpenAiCompatible):
    pass


class WithSdk(OpenAiCompatible):
    sdk = "acme"


class Derived(WithSdk):
    pass


class Painter(GeneratorBase):
    pass


def test_a_class_goes_by_its_sdk(classes: Classes) -> None:
    classes.add(WithSdk)
    assert classes.named("acme") is WithSdk


def test_a_class_without_an_sdk_of_its_own_goes_by_its_name_and_replaces_nobody(classes: Classes) -> None:
    classes.add(MyProvider)
    classes.add(Unnamed)
    assert classes.named("my-provider") is MyProvider
    assert classes.named("Unnamed") is Unnamed
    assert classes.named(OpenAiCompatible.sdk) is OpenAiCompatible


def test_an_sdk_inherited_from_a_class_that_nobody_added_is_its_own(classes: Classes) -> None:
    classes.add(Derived)
    assert classes.named("acme") is Derived


@pytest.mark.parametrize("order", [(WithSdk, Derived), (Derived, WithSdk)])
def test_an_sdk_inherited_from_a_class_that_is_there_stays_that_classs(classes: Classes, order: Any) -> None:
    for cls in order:
        classes.add(cls)
    assert classes.named("acme") is WithSdk
    assert classes.named("Derived") is Derived


def test_a_generator_may_do_without_an_sdk(classes: Classes) -> None:
    classes.add(Painter)
    assert classes.named("Painter") is Painter


@pytest.mark.parametrize("sdk", [None, "", 5])
def test_an_sdk_that_is_none_does_not_count(classes: Classes, sdk: Any) -> None:
    odd = type("Odd", (OpenAiCompatible,), {"sdk": sdk})
    classes.add(odd)
    assert classes.named("Odd") is odd


@pytest.mark.parametrize("given", [None, "openai", MyProvider(id="a", api="b"), lambda: None])
def test_what_is_no_class_is_refused(classes: Classes, given: Any) -> None:
    with pytest.raises(ConfigError, match=r"is no class\. Pass the class itself"):
        classes.add(given)


def test_a_class_that_can_answer_nothing_is_refused(classes: Classes) -> None:
    with pytest.raises(ConfigError, match=r"Bare has no method `chat`\. Derive it from"):
        classes.add(type("Bare", (), {}))
    assert classes.known == [OpenAiCompatible, GroqProvider]


# -- taking back -----------------------------------------------------------------------------------------------


def test_a_class_is_taken_back_once(classes: Classes) -> None:
    first, second = classes.add(WithSdk), classes.add(WithSdk)
    second()
    second()
    assert classes.known == [OpenAiCompatible, GroqProvider, WithSdk]
    first()
    assert classes.known == [OpenAiCompatible, GroqProvider]


def test_the_class_it_replaced_stands_again(classes: Classes) -> None:
    better = type("Better", (OpenAiCompatible,), {"sdk": OpenAiCompatible.sdk})
    undo = classes.add(better)
    assert classes.named(OpenAiCompatible.sdk) is better
    undo()
    assert classes.named(OpenAiCompatible.sdk) is OpenAiCompatible


def test_a_class_that_somebody_else_took_out_is_gone_already(classes: Classes) -> None:
    undo = classes.add(WithSdk)
    classes.known.remove(WithSdk)
    undo()
    assert classes.known == [OpenAiCompatible, GroqProvider]


def test_whatever_an_extension_wrote_into_the_list_is_passed_over(classes: Classes) -> None:
    known: list[Any] = classes.known
    known += ["acme", None, WithSdk]
    assert classes.named("acme") is WithSdk
