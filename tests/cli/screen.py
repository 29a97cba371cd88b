"""A terminal of the simplest kind: what a program wrote, as a person would see it."""

import re

_TOKEN = re.compile(
    r"\x1b\[(?P<arguments>[0-9;?]*)(?P<command>[A-Za-z])"  # CSI
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC
    r"|(?P<character>[^\x1b])"
)


class Screen:
    """Understands what rich writes: text, line ends, cursor up, erase line. The rest changes no text."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._lines: list[list[str]] = [[]]
        self._row = self._column = 0
        self._rest = ""  # an escape sequence that has not wholly arrived

    @property
    def text(self) -> str:
        return "\n".join("".join(line).rstrip() for line in self._lines)

    def feed(self, data: str) -> None:
        data = self._rest + data
        end = 0
        for token in _TOKEN.finditer(data):
            if token.start() != end:
                break
            end = token.end()
            if token["command"]:
                self._command(token["command"], token["arguments"])
            elif token["character"]:
                self._character(token["character"])
        self._rest = data[end:]

    def _command(self, command: str, arguments: str) -> None:
        if command == "A":
            top = max(0, len(self._lines) - self._height)
            self._row = max(top, self._row - int(arguments or 1))
        elif command == "K" and arguments == "2":
            self._lines[self._row] = []
        elif command == "J":
            raise AssertionError("the whole screen was erased, scrollback and all")

    def _character(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._next_line()
        elif character == "\b":
            self._column = max(0, self._column - 1)
        else:
            self._put(character)

    def _put(self, character: str) -> None:
        if self._column == self._width:
            self._column = 0
            self._next_line()
        line = self._lines[self._row]
        line += [" "] * (self._column + 1 - len(line))
        line[self._column] = character
        self._column += 1

    def _next_line(self) -> None:
        self._row += 1
        if self._row == len(self._lines):
            self._lines.append([])
