"""My extension in a real server, with a model that answers as it is told. Run it with `pytest`."""

from pathlib import Path

from llms.testing import ExtApp, tool_call

FOLDER = Path(__file__).parents[1]
NAME = FOLDER.name


def test_it_says_hello(ext_app: ExtApp) -> None:
    with ext_app(FOLDER) as server:
        reply = server.get(f"/ext/{NAME}/hello?name=Ann")
    assert reply.status == 200
    assert reply.body == {"message": "Hello, Ann!"}


def test_how_it_greets_is_a_setting(ext_app: ExtApp) -> None:
    with ext_app(FOLDER, config={"extension_settings": {NAME: {"greeting": "Ahoy"}}}) as server:
        reply = server.get(f"/ext/{NAME}/hello")
    assert reply.body == {"message": "Ahoy, world!"}


def test_a_model_can_roll_a_die(ext_app: ExtApp) -> None:
    with ext_app(FOLDER) as server:
        server.provider.enqueue(tool_call("my_extension_roll", sides=1), "You rolled a one.")
        reply = server.chat("Roll a die", metadata={"tools": "my_extension_roll"})
        told = server.provider.history[1]["messages"][-1]
    assert reply.text == "You rolled a one."
    assert (told["role"], told["content"]) == ("tool", "1")


def test_the_model_is_told_the_tone(ext_app: ExtApp) -> None:
    with ext_app(FOLDER, config={"extension_settings": {NAME: {"tone": "friendly"}}}) as server:
        server.chat("Hi")
        first = server.provider.history[0]["messages"][0]
    assert first == {"role": "system", "content": "Answer in a friendly tone."}
