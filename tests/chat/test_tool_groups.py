"""Groups of tool calls and results, as they come from clients that were interrupted, and as vendors want them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llms.chat.prepare import prepare
from llms.chat.tool_groups import complete_groups, for_glm

USER: Any = {"role": "user", "content": "Hi"}


def calls(*ids: str) -> Any:
    made = [{"id": id, "type": "function", "function": {"name": "look", "arguments": "{}"}} for id in ids]
    return {"role": "assistant", "content": None, "tool_calls": made}


def result(id: str, content: Any = "found") -> Any:
    return {"role": "tool", "tool_call_id": id, "content": content}


def test_whole_groups_stay_as_they_are() -> None:
    messages = [USER, calls("a", "b"), result("b"), result("a"), USER]
    assert complete_groups(messages) is messages


def test_a_call_without_a_result_gets_one_that_says_so() -> None:
    assert complete_groups([USER, calls("a", "b"), result("a"), USER]) == [
        USER,
        calls("a", "b"),
        result("a"),
        result("b", "No result: the call was interrupted."),
        USER,
    ]


def test_a_result_that_comes_late_is_moved_to_its_call() -> None:
    assert complete_groups([calls("a"), USER, result("a")]) == [calls("a"), result("a"), USER]


def test_a_result_of_no_call_becomes_a_users_text() -> None:
    said = {"role": "user", "content": [{"type": "text", "text": "[Result of a tool]"}, {"type": "text", "text": "x"}]}
    assert complete_groups([USER, result("z", "x")]) == [USER, said]


def test_a_result_before_its_call_is_none_of_it() -> None:
    roles = [message["role"] for message in complete_groups([result("a"), calls("a"), result("a")])]
    assert roles == ["user", "assistant", "tool"]


def test_a_second_result_becomes_a_users_text() -> None:
    roles = [message["role"] for message in complete_groups([calls("a"), result("a"), result("a", "again")])]
    assert roles == ["assistant", "tool", "user"]


def test_an_id_that_comes_again_in_a_later_turn_gets_a_number() -> None:
    messages = [calls("call_0"), result("call_0", "one"), calls("call_0", "call_1"), result("call_0", "two")]
    assert complete_groups(messages) == [
        calls("call_0"),
        result("call_0", "one"),
        calls("call_0_2", "call_1"),
        result("call_0_2", "two"),
        result("call_1", "No result: the call was interrupted."),
    ]


def test_an_id_that_comes_twice_in_one_turn_has_two_results() -> None:
    messages = [calls("a", "a"), USER, result("a", "one"), result("a", "two")]
    assert complete_groups(messages) == [calls("a", "a_2"), result("a", "one"), result("a_2", "two"), USER]


def test_a_number_is_given_that_nobody_has() -> None:
    messages = [calls("a_2", "a", "a"), result("a_2"), result("a", "one"), result("a", "two")]
    assert complete_groups(messages)[0] == calls("a_2", "a", "a_3")


def test_glm_takes_a_system_message_of_bare_texts() -> None:
    messages: Any = [{"role": "system", "content": ["A", "B"]}]
    assert for_glm(messages) == [{"role": "system", "content": "A\n\nB"}]


def test_glm_gets_one_system_message_in_front_and_a_user_first() -> None:
    messages: Any = [
        {"role": "system", "content": "A"},
        {"role": "assistant", "content": "Hi"},
        {"role": "developer", "content": [{"type": "text", "text": "B"}]},
    ]
    assert for_glm(messages) == [
        {"role": "system", "content": "A\n\nB"},
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": "Hi"},
    ]


def test_a_chat_is_prepared_with_whole_groups_and_stays_itself() -> None:
    chat: Any = {"model": "glm-4.6", "messages": [calls("a"), USER]}
    sent: Any = prepare(chat, None)
    assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "tool", "user"]
    assert chat == {"model": "glm-4.6", "messages": [calls("a"), USER]}


ids = st.sampled_from("abc")
message = st.one_of(
    st.just(USER), st.lists(ids, min_size=1, max_size=3).map(lambda some: calls(*some)), ids.map(result)
)


@given(st.lists(message, max_size=12))
def test_groups_are_whole_whatever_came(messages: list[Any]) -> None:
    whole = complete_groups(messages)
    assert complete_groups(whole) is whole
    assert sum(len(m.get("tool_calls") or ()) for m in whole) == sum(len(m.get("tool_calls") or ()) for m in messages)
    assert sum(m["role"] == "tool" for m in whole) == sum(len(m.get("tool_calls") or ()) for m in whole)
